"""Before the conversation on the screen makes way for another one: somebody is asked."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication, QMessageBox, QWidget

from voicelane.gui.model.conversation import Conversation
from voicelane.gui.model.language import later, tr

SAVE, LEAVE, STAY = "save", "leave", "stay"
NOT_RECORDED = later("{title} is not recorded. It is gone when you go on, unless you save it.")
ROLE, BUTTON = QMessageBox.ButtonRole, QMessageBox.StandardButton


def ask_to_leave(conversation: Conversation, act: str) -> str:
    """What is to become of it when somebody wants to `act`, which is the name of a button: `save` it first,
    `leave` it, or `stay` with it."""
    box = QMessageBox(QApplication.activeWindow())
    box.setWindowTitle("voicelane")
    box.setText(question(conversation, act))
    save = box.addButton(tr("Save as session"), ROLE.AcceptRole) if conversation.unsaved else None
    words, role = (
        (act, ROLE.AcceptRole)
        if save is None
        else (tr("{act} without saving", act=act), ROLE.DestructiveRole)
    )
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
        return tr(NOT_RECORDED, title=conversation.title)
    return tr("{title} is on the screen, and stays in Sessions. {act}?", title=conversation.title, act=act)


MERGE, APART = "merge", "apart"


def ask_same(name: str, other: str) -> str:
    """Whether two speakers who get one `name` are one: `merge`, `apart`, or `stay` where the name is none."""
    box = QMessageBox(QApplication.activeWindow())
    box.setWindowTitle("voicelane")
    box.setText(tr("{name} is there already ({other}). Is it the same person?", name=name, other=other))
    merge = box.addButton(tr("The same person"), ROLE.AcceptRole)
    apart = box.addButton(tr("Two of that name"), ROLE.ActionRole)
    stay = box.addButton(BUTTON.Cancel)
    box.setDefaultButton(stay)
    box.setEscapeButton(stay)
    box.exec()
    pressed = box.clickedButton()
    return MERGE if pressed is merge else APART if pressed is apart else STAY


def ask_named(words: str, name: str) -> bool:
    """Whether somebody who sounds like a `name` gets it."""
    box = QMessageBox(QApplication.activeWindow())
    box.setWindowTitle("voicelane")
    box.setText(tr("{sentence}. Is that right?", sentence=words))
    yes, stay = (
        box.addButton(tr("Call them {name}", name=name), ROLE.AcceptRole),
        box.addButton(tr("No"), ROLE.RejectRole),
    )
    box.setDefaultButton(stay)
    box.setEscapeButton(stay)
    box.exec()
    return box.clickedButton() is yes


def confirmed(parent: QWidget, title: str, text: str) -> bool:
    """Whether somebody says yes to what cannot be undone; Enter and Escape say no."""
    return QMessageBox.question(parent, title, text, BUTTON.Yes | BUTTON.No, BUTTON.No) == BUTTON.Yes
