"""Before the conversation on the screen makes way for another one: somebody is asked."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication, QMessageBox, QWidget

from voicelane.gui.model.conversation import Conversation

SAVE, LEAVE, STAY = "save", "leave", "stay"
ROLE, BUTTON = QMessageBox.ButtonRole, QMessageBox.StandardButton


def ask_to_leave(conversation: Conversation, act: str) -> str:
    """What is to become of it when somebody wants to `act`, which is the name of a button: `save` it first,
    `leave` it, or `stay` with it."""
    box = QMessageBox(QApplication.activeWindow())
    box.setWindowTitle("voicelane")
    box.setText(question(conversation, act))
    save = box.addButton("Save as session", ROLE.AcceptRole) if conversation.unsaved else None
    words, role = (act, ROLE.AcceptRole) if save is None else (f"{act} without saving", ROLE.DestructiveRole)
    leave, stay = box.addButton(words, role), box.addButton(BUTTON.Cancel)
    box.setDefaultButton(save or stay)
    box.setEscapeButton(stay)
    box.exec()
    pressed = box.clickedButton()
    if pressed is None or pressed is stay:
        return STAY
    return LEAVE if pressed is leave else SAVE


def question(conversation: Conversation, act: str) -> str:
    """What is asked."""
    if conversation.unsaved:
        return f"{conversation.title} is not recorded. It is gone when you {act.lower()}, unless you save it."
    return f"{conversation.title} is on the screen, and stays in Sessions. {act}?"


MERGE, APART = "merge", "apart"


def ask_same(name: str, other: str) -> str:
    """Whether two speakers who get one `name` are one: `merge`, `apart`, or `stay` where the name is none."""
    box = QMessageBox(QApplication.activeWindow())
    box.setWindowTitle("voicelane")
    box.setText(f"{name} is there already ({other}). Is it the same person?")
    merge = box.addButton("The same person", ROLE.AcceptRole)
    apart = box.addButton("Two of that name", ROLE.ActionRole)
    stay = box.addButton(BUTTON.Cancel)
    box.setDefaultButton(stay)
    box.setEscapeButton(stay)
    box.exec()
    pressed = box.clickedButton()
    return MERGE if pressed is merge else APART if pressed is apart else STAY


def ask_named(sentence: str, name: str) -> bool:
    """Whether somebody who sounds like a `name` gets it."""
    box = QMessageBox(QApplication.activeWindow())
    box.setWindowTitle("voicelane")
    box.setText(f"{sentence}. Is that right?")
    yes, stay = box.addButton(f"Call them {name}", ROLE.AcceptRole), box.addButton("No", ROLE.RejectRole)
    box.setDefaultButton(stay)
    box.setEscapeButton(stay)
    box.exec()
    return box.clickedButton() is yes


def confirmed(parent: QWidget, title: str, text: str) -> bool:
    """Whether somebody says yes to what cannot be undone; Enter and Escape say no."""
    return QMessageBox.question(parent, title, text, BUTTON.Yes | BUTTON.No, BUTTON.No) == BUTTON.Yes
