<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
 <context>
  <name>voicelane</name>
  <message>
   <source>the conversation is being saved; correct it in a moment</source>
   <translation>das Gespräch wird gerade gespeichert; korrigieren Sie es gleich danach</translation>
  </message>
  <message>
   <source>{reason}; listening goes on without it</source>
   <translation>{reason}; das Zuhören geht ohne weiter</translation>
  </message>
  <message>
   <source>of other models</source>
   <translation>anderer Modelle</translation>
  </message>
  <message>
   <source>nobody's</source>
   <translation>von niemandem</translation>
  </message>
  <message>
   <source>consents</source>
   <translation>stimmt zu</translation>
  </message>
  <message>
   <source>no consent</source>
   <translation>keine Zustimmung</translation>
  </message>
  <message>
   <source>{number} %</source>
   <translation>{number} %</translation>
  </message>
  <message>
   <source>little background noise</source>
   <translation>wenig Hintergrundgeräusch</translation>
  </message>
  <message>
   <source>some background noise</source>
   <translation>etwas Hintergrundgeräusch</translation>
  </message>
  <message>
   <source>much background noise</source>
   <translation>viel Hintergrundgeräusch</translation>
  </message>
  <message>
   <source>the words are {s} s behind</source>
   <translation>die Wörter sind {s} s im Rückstand</translation>
  </message>
  <message>
   <source>{s} s have none</source>
   <translation>{s} s haben keine</translation>
  </message>
  <message>
   <source>somebody</source>
   <translation>jemand</translation>
  </message>
  <message>
   <source>Advanced</source>
   <translation>Erweitert</translation>
  </message>
  <message>
   <source>Everybody in {name} gets a voice that is nobody's, the same throughout, in a new folder with the same turns. What is said stays, with the names that are said in it.</source>
   <translation>Alle in {name} erhalten eine Stimme, die niemandem gehört, durchgehend dieselbe, in einem neuen Ordner mit denselben Beiträgen. Was gesagt wird, bleibt, mit den Namen, die darin vorkommen.</translation>
  </message>
  <message>
   <source>Where several speak at once: one voice for all of them</source>
   <translation>Wo mehrere zugleich sprechen: eine Stimme für alle</translation>
  </message>
  <message>
   <source>Where several speak at once: silence</source>
   <translation>Wo mehrere zugleich sprechen: Stille</translation>
  </message>
  <message>
   <source>Export anonymised</source>
   <translation>Anonymisiert exportieren</translation>
  </message>
  <message>
   <source>Keep the names of people (else they are S1, S2, …)</source>
   <translation>Namen der Personen behalten (sonst heißen sie S1, S2, …)</translation>
  </message>
  <message>
   <source>Keep the names of people</source>
   <translation>Namen der Personen behalten</translation>
  </message>
  <message>
   <source>Where several speak at once</source>
   <translation>Wo mehrere zugleich sprechen</translation>
  </message>
  <message>
   <source>New folder</source>
   <translation>Neuer Ordner</translation>
  </message>
  <message>
   <source>In another folder …</source>
   <translation>In anderem Ordner …</translation>
  </message>
  <message>
   <source>Progress of the export</source>
   <translation>Fortschritt des Exports</translation>
  </message>
  <message>
   <source>State of the export</source>
   <translation>Stand des Exports</translation>
  </message>
  <message>
   <source>Export</source>
   <translation>Exportieren</translation>
  </message>
  <message>
   <source>Cancel</source>
   <translation>Abbrechen</translation>
  </message>
  <message>
   <source>listening to every voice …</source>
   <translation>hört jede Stimme an …</translation>
  </message>
  <message>
   <source>{name} is anonymised: {folder}</source>
   <translation>{name} ist anonymisiert: {folder}</translation>
  </message>
  <message>
   <source>Where the new folder is made</source>
   <translation>Wo der neue Ordner angelegt wird</translation>
  </message>
  <message>
   <source>{percent} of the sound has new voices</source>
   <translation>{percent} des Tons haben neue Stimmen</translation>
  </message>
  <message>
   <source>Notice</source>
   <translation>Hinweis</translation>
  </message>
  <message>
   <source>Open it</source>
   <translation>Öffnen</translation>
  </message>
  <message>
   <source>Close this notice</source>
   <translation>Diesen Hinweis schließen</translation>
  </message>
  <message>
   <source>in English</source>
   <translation>auf Englisch</translation>
  </message>
  <message>
   <source>in Arabic</source>
   <translation>auf Arabisch</translation>
  </message>
  <message>
   <source>Four digits are drawn and asked for: what was recorded before cannot answer them.</source>
   <translation>Vier Ziffern werden gezogen und abgefragt: Eine frühere Aufnahme kann darauf nicht antworten.</translation>
  </message>
  <message>
   <source>preparing …</source>
   <translation>wird vorbereitet …</translation>
  </message>
  <message>
   <source>Listen; then say the digits, with pauses between.</source>
   <translation>Hören Sie zu; sprechen Sie dann die Ziffern, mit Pausen dazwischen.</translation>
  </message>
  <message>
   <source>listening to the answer …</source>
   <translation>hört die Antwort an …</translation>
  </message>
  <message>
   <source>Say these digits, with pauses between; {left_s} s are left.</source>
   <translation>Sprechen Sie diese Ziffern, mit Pausen dazwischen; noch {left_s} s.</translation>
  </message>
  <message>
   <source>Challenge</source>
   <translation>Abfrage</translation>
  </message>
  <message>
   <source>Ask for digits</source>
   <translation>Ziffern abfragen</translation>
  </message>
  <message>
   <source>Language of the digits</source>
   <translation>Sprache der Ziffern</translation>
  </message>
  <message>
   <source>Say the digits aloud</source>
   <translation>Ziffern vorsprechen</translation>
  </message>
  <message>
   <source>Digits to say</source>
   <translation>Zu sprechende Ziffern</translation>
  </message>
  <message>
   <source>Time left to answer</source>
   <translation>Verbleibende Zeit für die Antwort</translation>
  </message>
  <message>
   <source>Say them aloud</source>
   <translation>Vorsprechen</translation>
  </message>
  <message>
   <source>Done</source>
   <translation>Fertig</translation>
  </message>
  <message>
   <source>The likeness of the voice to every speaker is drawn here while somebody speaks.</source>
   <translation>Hier erscheint die Ähnlichkeit der Stimme mit jedem Sprecher, während jemand spricht.</translation>
  </message>
  <message>
   <source>Similarity to each speaker over time</source>
   <translation>Ähnlichkeit mit jedem Sprecher im Lauf der Zeit</translation>
  </message>
  <message>
   <source>cosine of the voice to each speaker</source>
   <translation>Kosinus der Stimme zu jedem Sprecher</translation>
  </message>
  <message>
   <source>Similarity</source>
   <translation>Ähnlichkeit</translation>
  </message>
  <message>
   <source>Delete {title}? Its sound and its turns are gone for good.</source>
   <translation>{title} löschen? Ton und Beiträge sind dann endgültig verloren.</translation>
  </message>
  <message>
   <source>Document</source>
   <translation>Dokument</translation>
  </message>
  <message>
   <source>Name of the conversation</source>
   <translation>Name des Gesprächs</translation>
  </message>
  <message>
   <source>Whether it is saved</source>
   <translation>Ob es gespeichert ist</translation>
  </message>
  <message>
   <source>Save</source>
   <translation>Speichern</translation>
  </message>
  <message>
   <source>Save as session</source>
   <translation>Als Sitzung speichern</translation>
  </message>
  <message>
   <source>Summary</source>
   <translation>Übersicht</translation>
  </message>
  <message>
   <source>Export …</source>
   <translation>Export …</translation>
  </message>
  <message>
   <source>Rename …</source>
   <translation>Umbenennen …</translation>
  </message>
  <message>
   <source>Delete …</source>
   <translation>Löschen …</translation>
  </message>
  <message>
   <source>Undo the latest correction (Ctrl+Z)</source>
   <translation>Letzte Korrektur rückgängig machen (Strg+Z)</translation>
  </message>
  <message>
   <source>Redo (Ctrl+Shift+Z)</source>
   <translation>Wiederholen (Strg+Umschalt+Z)</translation>
  </message>
  <message>
   <source>Rename</source>
   <translation>Umbenennen</translation>
  </message>
  <message>
   <source>Name of {name}:</source>
   <translation>Name von {name}:</translation>
  </message>
  <message>
   <source>being saved …</source>
   <translation>wird gespeichert …</translation>
  </message>
  <message>
   <source>saved</source>
   <translation>gespeichert</translation>
  </message>
  <message>
   <source>not saved</source>
   <translation>nicht gespeichert</translation>
  </message>
  <message>
   <source>Delete</source>
   <translation>Löschen</translation>
  </message>
  <message>
   <source>being recorded</source>
   <translation>wird aufgenommen</translation>
  </message>
  <message>
   <source>not recorded</source>
   <translation>nicht aufgenommen</translation>
  </message>
  <message>
   <source>Folder for one file per speaker</source>
   <translation>Ordner für eine Datei je Sprecher</translation>
  </message>
  <message>
   <source>Name</source>
   <translation>Name</translation>
  </message>
  <message>
   <source>Whose</source>
   <translation>Von wem</translation>
  </message>
  <message>
   <source>Pitch</source>
   <translation>Tonhöhe</translation>
  </message>
  <message>
   <source>There is no voice yet.
Make one on the right, or enrol somebody on the page People.</source>
   <translation>Es gibt noch keine Stimme.
Erzeugen Sie rechts eine, oder registrieren Sie jemanden auf der Seite „Personen“.</translation>
  </message>
  <message>
   <source>Does {name} allow that a computer speaks in their voice? Only they can say so. It is recorded with the profile, goes along when the profile is exported, and can be withdrawn.</source>
   <translation>Erlaubt {name}, dass ein Computer mit dieser Stimme spricht? Nur die Person selbst kann das sagen. Es wird im Profil vermerkt, geht beim Export des Profils mit und kann widerrufen werden.</translation>
  </message>
  <message>
   <source>{name} was made with other models, and cannot be used with those that are chosen.</source>
   <translation>{name} wurde mit anderen Modellen erzeugt und ist mit den gewählten nicht verwendbar.</translation>
  </message>
  <message>
   <source>Voices</source>
   <translation>Stimmen</translation>
  </message>
  <message>
   <source>About the voice</source>
   <translation>Über die Stimme</translation>
  </message>
  <message>
   <source>Hear it</source>
   <translation>Anhören</translation>
  </message>
  <message>
   <source>Consent …</source>
   <translation>Zustimmung …</translation>
  </message>
  <message>
   <source>Remove</source>
   <translation>Entfernen</translation>
  </message>
  <message>
   <source>Remove the voice {name}? It is gone for good.</source>
   <translation>Die Stimme {name} entfernen? Sie ist dann endgültig verloren.</translation>
  </message>
  <message>
   <source>Withdraw</source>
   <translation>Widerrufen</translation>
  </message>
  <message>
   <source>Withdraw consent</source>
   <translation>Zustimmung widerrufen</translation>
  </message>
  <message>
   <source>Record consent</source>
   <translation>Zustimmung vermerken</translation>
  </message>
  <message>
   <source>Choose a voice to hear it.</source>
   <translation>Wählen Sie eine Stimme, um sie zu hören.</translation>
  </message>
  <message>
   <source>Consents since {day}.</source>
   <translation>Stimmt zu seit {day}.</translation>
  </message>
  <message>
   <source>Nearest: {names}.</source>
   <translation>Am nächsten: {names}.</translation>
  </message>
  <message>
   <source>{hz} Hz</source>
   <translation>{hz} Hz</translation>
  </message>
  <message>
   <source>Consent</source>
   <translation>Zustimmung</translation>
  </message>
  <message>
   <source>Log-likelihood ratio</source>
   <translation>Log-Likelihood-Verhältnis</translation>
  </message>
  <message>
   <source>no evidence yet</source>
   <translation>noch keine Anhaltspunkte</translation>
  </message>
  <message>
   <source>From a sound to its first label</source>
   <translation>Bis zur ersten Kennung</translation>
  </message>
  <message>
   <source>From a sound to its final label</source>
   <translation>Bis zur endgültigen Kennung</translation>
  </message>
  <message>
   <source>All stages, per 20 ms frame</source>
   <translation>Alle Stufen, je 20 ms</translation>
  </message>
  <message>
   <source>STFT, per frame</source>
   <translation>STFT, je Rahmen</translation>
  </message>
  <message>
   <source>Features, per frame</source>
   <translation>Merkmale, je Rahmen</translation>
  </message>
  <message>
   <source>Voice activity, per frame</source>
   <translation>Sprachaktivität, je Rahmen</translation>
  </message>
  <message>
   <source>Encoder, each time it runs</source>
   <translation>Encoder, je Lauf</translation>
  </message>
  <message>
   <source>Segmentation, each time it runs</source>
   <translation>Segmentierung, je Lauf</translation>
  </message>
  <message>
   <source>Enhancer, each time it runs</source>
   <translation>Verbesserung, je Lauf</translation>
  </message>
  <message>
   <source>Diariser, each time it runs</source>
   <translation>Diarisierung, je Lauf</translation>
  </message>
  <message>
   <source>{lost_s} s of sound were lost; close other programs, or choose a quicker preset</source>
   <translation>{lost_s} s Ton gingen verloren; schließen Sie andere Programme, oder wählen Sie eine schnellere Voreinstellung</translation>
  </message>
  <message>
   <source>{s} s</source>
   <translation>{s} s</translation>
  </message>
  <message>
   <source>Keeping up; nothing is lost</source>
   <translation>Hält Schritt; nichts geht verloren</translation>
  </message>
  <message>
   <source>Sound lost</source>
   <translation>Verlorener Ton</translation>
  </message>
  <message>
   <source>Missing in the recording</source>
   <translation>Fehlt in der Aufnahme</translation>
  </message>
  <message>
   <source>Losses told by the device</source>
   <translation>Vom Gerät gemeldete Verluste</translation>
  </message>
  <message>
   <source>Invalid samples</source>
   <translation>Ungültige Abtastwerte</translation>
  </message>
  <message>
   <source>Events missed</source>
   <translation>Verpasste Ereignisse</translation>
  </message>
  <message>
   <source>Enhancer</source>
   <translation>Verbesserung</translation>
  </message>
  <message>
   <source>Sound waiting</source>
   <translation>Wartender Ton</translation>
  </message>
  <message>
   <source>CPU</source>
   <translation>CPU</translation>
  </message>
  <message>
   <source>Memory</source>
   <translation>Speicher</translation>
  </message>
  <message>
   <source>{percent} % of a core</source>
   <translation>{percent} % eines Kerns</translation>
  </message>
  <message>
   <source>{mb} MB</source>
   <translation>{mb} MB</translation>
  </message>
  <message>
   <source>Ready</source>
   <translation>Bereit</translation>
  </message>
  <message>
   <source>{waiting_s} s behind; nothing is lost</source>
   <translation>{waiting_s} s im Rückstand; nichts geht verloren</translation>
  </message>
  <message>
   <source>as chosen</source>
   <translation>wie gewählt</translation>
  </message>
  <message>
   <source>Show the times of every stage</source>
   <translation>Zeiten aller Stufen zeigen</translation>
  </message>
  <message>
   <source>lost {s} s</source>
   <translation>verloren {s} s</translation>
  </message>
  <message>
   <source>waiting {s} s</source>
   <translation>wartend {s} s</translation>
  </message>
  <message>
   <source>CPU {percent} %</source>
   <translation>CPU {percent} %</translation>
  </message>
  <message>
   <source>Health: {parts}</source>
   <translation>Zustand: {parts}</translation>
  </message>
  <message>
   <source>Health</source>
   <translation>Zustand</translation>
  </message>
  <message>
   <source>Times of the latest minute or so. A frame has 20 ms; what takes longer for long loses sound.</source>
   <translation>Zeiten etwa der letzten Minute. Ein Rahmen hat 20 ms; was auf Dauer länger braucht, verliert Ton.</translation>
  </message>
  <message>
   <source>Counts</source>
   <translation>Zähler</translation>
  </message>
  <message>
   <source>Histogram: {kind}</source>
   <translation>Histogramm: {kind}</translation>
  </message>
  <message>
   <source>p50 {p50} · p95 {p95} · p99 {p99} ms</source>
   <translation>p50 {p50} · p95 {p95} · p99 {p99} ms</translation>
  </message>
  <message>
   <source>label after {ms} ms (p99 {p99})</source>
   <translation>Kennung nach {ms} ms (p99 {p99})</translation>
  </message>
  <message>
   <source>frame {ms} ms (p99 {p99})</source>
   <translation>Rahmen {ms} ms (p99 {p99})</translation>
  </message>
  <message>
   <source>not measured yet</source>
   <translation>noch nicht gemessen</translation>
  </message>
  <message>
   <source>Anywhere</source>
   <translation>Überall</translation>
  </message>
  <message>
   <source>Space</source>
   <translation>Leertaste</translation>
  </message>
  <message>
   <source>play and pause what is on the screen</source>
   <translation>abspielen und anhalten, was zu sehen ist</translation>
  </message>
  <message>
   <source>Ctrl+B</source>
   <translation>Strg+B</translation>
  </message>
  <message>
   <source>hear it without noise, and as it was</source>
   <translation>ohne Rauschen hören, und wie es war</translation>
  </message>
  <message>
   <source>Ctrl+L</source>
   <translation>Strg+L</translation>
  </message>
  <message>
   <source>begin a new conversation; pause it and go on</source>
   <translation>neues Gespräch beginnen; anhalten und fortsetzen</translation>
  </message>
  <message>
   <source>Ctrl+.</source>
   <translation>Strg+.</translation>
  </message>
  <message>
   <source>stop listening</source>
   <translation>Zuhören beenden</translation>
  </message>
  <message>
   <source>Ctrl+O</source>
   <translation>Strg+O</translation>
  </message>
  <message>
   <source>listen to a sound file</source>
   <translation>eine Tondatei anhören</translation>
  </message>
  <message>
   <source>Ctrl+S</source>
   <translation>Strg+S</translation>
  </message>
  <message>
   <source>save as session</source>
   <translation>als Sitzung speichern</translation>
  </message>
  <message>
   <source>Ctrl+E</source>
   <translation>Strg+E</translation>
  </message>
  <message>
   <source>export</source>
   <translation>exportieren</translation>
  </message>
  <message>
   <source>Ctrl+I</source>
   <translation>Strg+I</translation>
  </message>
  <message>
   <source>summary</source>
   <translation>Übersicht</translation>
  </message>
  <message>
   <source>Ctrl+Z, Ctrl+Shift+Z or Ctrl+Y</source>
   <translation>Strg+Z, Strg+Umschalt+Z oder Strg+Y</translation>
  </message>
  <message>
   <source>undo and redo corrections</source>
   <translation>Korrekturen rückgängig machen und wiederholen</translation>
  </message>
  <message>
   <source>Ctrl+1 … Ctrl+7</source>
   <translation>Strg+1 … Strg+7</translation>
  </message>
  <message>
   <source>pages</source>
   <translation>Seiten</translation>
  </message>
  <message>
   <source>Ctrl+Shift+L</source>
   <translation>Strg+Umschalt+L</translation>
  </message>
  <message>
   <source>lab view</source>
   <translation>Laboransicht</translation>
  </message>
  <message>
   <source>Ctrl+P</source>
   <translation>Strg+P</translation>
  </message>
  <message>
   <source>print the summary</source>
   <translation>Übersicht drucken</translation>
  </message>
  <message>
   <source>F1</source>
   <translation>F1</translation>
  </message>
  <message>
   <source>this sheet</source>
   <translation>dieses Blatt</translation>
  </message>
  <message>
   <source>Ctrl+Q</source>
   <translation>Strg+Q</translation>
  </message>
  <message>
   <source>quit</source>
   <translation>beenden</translation>
  </message>
  <message>
   <source>Timeline</source>
   <translation>Zeitleiste</translation>
  </message>
  <message>
   <source>Left, Right</source>
   <translation>Links, Rechts</translation>
  </message>
  <message>
   <source>move the cursor by a second; with Shift by ten</source>
   <translation>Marke um eine Sekunde bewegen; mit Umschalt um zehn</translation>
  </message>
  <message>
   <source>Up, Down</source>
   <translation>Auf, Ab</translation>
  </message>
  <message>
   <source>the turn before, the next turn</source>
   <translation>voriger, nächster Beitrag</translation>
  </message>
  <message>
   <source>Enter</source>
   <translation>Eingabe</translation>
  </message>
  <message>
   <source>hear the chosen turn</source>
   <translation>gewählten Beitrag anhören</translation>
  </message>
  <message>
   <source>[ and ]</source>
   <translation>[ und ]</translation>
  </message>
  <message>
   <source>put its beginning, or its end, at the cursor</source>
   <translation>seinen Anfang oder sein Ende an die Marke setzen</translation>
  </message>
  <message>
   <source>D, J</source>
   <translation>D, J</translation>
  </message>
  <message>
   <source>divide it at the cursor; join it with the next</source>
   <translation>an der Marke teilen; mit dem nächsten verbinden</translation>
  </message>
  <message>
   <source>C, Del</source>
   <translation>C, Entf</translation>
  </message>
  <message>
   <source>confirm it; delete it</source>
   <translation>bestätigen; löschen</translation>
  </message>
  <message>
   <source>I</source>
   <translation>I</translation>
  </message>
  <message>
   <source>insert a turn at the cursor</source>
   <translation>an der Marke einen Beitrag einfügen</translation>
  </message>
  <message>
   <source>zoom; show everything (elsewhere with Ctrl)</source>
   <translation>vergrößern und verkleinern; alles zeigen (anderswo mit Strg)</translation>
  </message>
  <message>
   <source>F</source>
   <translation>F</translation>
  </message>
  <message>
   <source>follow the newest sound</source>
   <translation>dem neuesten Ton folgen</translation>
  </message>
  <message>
   <source>Transcript</source>
   <translation>Mitschrift</translation>
  </message>
  <message>
   <source>play from the word at the cursor</source>
   <translation>ab dem Wort an der Schreibmarke abspielen</translation>
  </message>
  <message>
   <source>F2</source>
   <translation>F2</translation>
  </message>
  <message>
   <source>write it otherwise</source>
   <translation>anders schreiben</translation>
  </message>
  <message>
   <source>Ctrl+C</source>
   <translation>Strg+C</translation>
  </message>
  <message>
   <source>copy what is selected</source>
   <translation>Ausgewähltes kopieren</translation>
  </message>
  <message>
   <source>Lists</source>
   <translation>Listen</translation>
  </message>
  <message>
   <source>rename</source>
   <translation>umbenennen</translation>
  </message>
  <message>
   <source>Del</source>
   <translation>Entf</translation>
  </message>
  <message>
   <source>delete</source>
   <translation>löschen</translation>
  </message>
  <message>
   <source>open</source>
   <translation>öffnen</translation>
  </message>
  <message>
   <source>voicelane {version}

Who is speaking, while they speak.
Everything stays on this machine.

Licence and the makers of all models: docs/index.md and the cards beside the models.</source>
   <translation>voicelane {version}

Wer spricht, während gesprochen wird.
Alles bleibt auf diesem Rechner.

Lizenz und Urheber aller Modelle: docs/index.md und die Karten neben den Modellen.</translation>
  </message>
  <message>
   <source>About voicelane</source>
   <translation>Über voicelane</translation>
  </message>
  <message>
   <source>Keys</source>
   <translation>Tasten</translation>
  </message>
  <message>
   <source>Close</source>
   <translation>Schließen</translation>
  </message>
  <message>
   <source>name</source>
   <translation>Name</translation>
  </message>
  <message>
   <source>tag</source>
   <translation>Schlagwort</translation>
  </message>
  <message>
   <source>note</source>
   <translation>Notiz</translation>
  </message>
  <message>
   <source>person</source>
   <translation>Person</translation>
  </message>
  <message>
   <source>Where it was found</source>
   <translation>Fundstellen</translation>
  </message>
  <message>
   <source>Not searched: {names}</source>
   <translation>Nicht durchsucht: {names}</translation>
  </message>
  <message>
   <source>See who is speaking, while they speak</source>
   <translation>Sehen, wer spricht, während gesprochen wird</translation>
  </message>
  <message>
   <source>Choose a microphone or a sound file above and press the red button, drop a file here, or try the demo: eighty seconds of three people talking. Everything stays on this machine.</source>
   <translation>Wählen Sie oben ein Mikrofon oder eine Tondatei und drücken Sie den roten Knopf, legen Sie eine Datei hier ab, oder probieren Sie die Demo: achtzig Sekunden Gespräch von drei Personen. Alles bleibt auf diesem Rechner.</translation>
  </message>
  <message>
   <source>Follow the newest sound (F)</source>
   <translation>Dem neuesten Ton folgen (F)</translation>
  </message>
  <message>
   <source>Hear the turns of which it is not sure who speaks, and say who it is</source>
   <translation>Beiträge anhören, bei denen nicht sicher ist, wer spricht, und sagen, wer es ist</translation>
  </message>
  <message numerus="yes">
   <source>Review %n uncertain</source>
   <translation>
    <numerusform>%n unsicheren prüfen</numerusform>
    <numerusform>%n unsichere prüfen</numerusform>
   </translation>
  </message>
  <message numerus="yes">
   <source>Review %n uncertain turns</source>
   <translation>
    <numerusform>%n unsicheren Beitrag prüfen</numerusform>
    <numerusform>%n unsichere Beiträge prüfen</numerusform>
   </translation>
  </message>
  <message>
   <source>About the sound</source>
   <translation>Über den Ton</translation>
  </message>
  <message>
   <source>Start listening</source>
   <translation>Zuhören beginnen</translation>
  </message>
  <message>
   <source>Welcome</source>
   <translation>Willkommen</translation>
  </message>
  <message>
   <source>Zoom out (−)</source>
   <translation>Verkleinern (−)</translation>
  </message>
  <message>
   <source>Zoom in (+)</source>
   <translation>Vergrößern (+)</translation>
  </message>
  <message>
   <source>Show everything (0)</source>
   <translation>Alles zeigen (0)</translation>
  </message>
  <message>
   <source>About the sound: {remarks}</source>
   <translation>Über den Ton: {remarks}</translation>
  </message>
  <message>
   <source>Try the demo conversation</source>
   <translation>Demogespräch probieren</translation>
  </message>
  <message>
   <source>Open a recorded session</source>
   <translation>Aufgenommene Sitzung öffnen</translation>
  </message>
  <message>
   <source>Level meter</source>
   <translation>Pegelanzeige</translation>
  </message>
  <message>
   <source>no sound</source>
   <translation>kein Ton</translation>
  </message>
  <message>
   <source>{db} dB</source>
   <translation>{db} dB</translation>
  </message>
  <message>
   <source>listening …</source>
   <translation>hört zu …</translation>
  </message>
  <message>
   <source>peak {db} dB</source>
   <translation>Spitze {db} dB</translation>
  </message>
  <message>
   <source>voice {db} dB over the noise</source>
   <translation>Stimme {db} dB über dem Rauschen</translation>
  </message>
  <message>
   <source>too loud: turn the microphone down</source>
   <translation>zu laut: Regeln Sie das Mikrofon herunter</translation>
  </message>
  <message>
   <source>too loud</source>
   <translation>zu laut</translation>
  </message>
  <message>
   <source> · SNR {db} dB</source>
   <translation> · SNR {db} dB</translation>
  </message>
  <message>
   <source>New voice</source>
   <translation>Neue Stimme</translation>
  </message>
  <message>
   <source>Pitch of the new voice</source>
   <translation>Tonhöhe der neuen Stimme</translation>
  </message>
  <message>
   <source>Name (else pseudo-1, pseudo-2 …)</source>
   <translation>Name (sonst pseudo-1, pseudo-2 …)</translation>
  </message>
  <message>
   <source>Name of the new voice</source>
   <translation>Name der neuen Stimme</translation>
  </message>
  <message>
   <source>by chance</source>
   <translation>zufällig</translation>
  </message>
  <message>
   <source>Seed of the new voice</source>
   <translation>Startwert der neuen Stimme</translation>
  </message>
  <message>
   <source>The same number draws the same voice again</source>
   <translation>Dieselbe Zahl zieht dieselbe Stimme noch einmal</translation>
  </message>
  <message>
   <source>Make a voice</source>
   <translation>Stimme erzeugen</translation>
  </message>
  <message>
   <source>Advanced settings of the new voice</source>
   <translation>Erweiterte Einstellungen der neuen Stimme</translation>
  </message>
  <message>
   <source>Steps of the diffusion</source>
   <translation>Schritte der Diffusion</translation>
  </message>
  <message>
   <source>How strictly it keeps to the pitch</source>
   <translation>Wie streng sie die Tonhöhe hält</translation>
  </message>
  <message>
   <source>New voice of nobody</source>
   <translation>Neue Stimme von niemandem</translation>
  </message>
  <message>
   <source>low</source>
   <translation>tief</translation>
  </message>
  <message>
   <source>high</source>
   <translation>hoch</translation>
  </message>
  <message>
   <source>Seed</source>
   <translation>Startwert</translation>
  </message>
  <message>
   <source>making …</source>
   <translation>wird erzeugt …</translation>
  </message>
  <message>
   <source>Tags of the session</source>
   <translation>Schlagwörter der Sitzung</translation>
  </message>
  <message>
   <source>Tags</source>
   <translation>Schlagwörter</translation>
  </message>
  <message>
   <source>Note on the session</source>
   <translation>Notiz zur Sitzung</translation>
  </message>
  <message>
   <source>Note</source>
   <translation>Notiz</translation>
  </message>
  <message>
   <source>{s} s of speech, {db} dB over the noise, agreement with itself {agreement}</source>
   <translation>{s} s Sprache, {db} dB über dem Rauschen, Übereinstimmung mit sich selbst {agreement}</translation>
  </message>
  <message>
   <source>Type a name, press record and let one person speak alone for ten seconds or more.</source>
   <translation>Geben Sie einen Namen ein, drücken Sie „Aufnehmen“, und lassen Sie eine Person zehn Sekunden oder länger allein sprechen.</translation>
  </message>
  <message>
   <source>Speak now, as you usually do. Stop when the bar is full.</source>
   <translation>Sprechen Sie jetzt, wie gewohnt. Halten Sie an, wenn der Balken voll ist.</translation>
  </message>
  <message>
   <source>listening to it …</source>
   <translation>wird angehört …</translation>
  </message>
  <message>
   <source>People</source>
   <translation>Personen</translation>
  </message>
  <message>
   <source>Enrolled people are shown by name, and a voice can be verified to be theirs. A voice is kept as numbers on this machine; its sound only if you say so.</source>
   <translation>Registrierte Personen werden mit Namen gezeigt, und es lässt sich prüfen, ob eine Stimme ihre ist. Von einer Stimme bleiben Zahlen auf diesem Rechner; ihr Ton nur, wenn Sie es sagen.</translation>
  </message>
  <message>
   <source>Enrol a person</source>
   <translation>Person registrieren</translation>
  </message>
  <message>
   <source>Name of the person</source>
   <translation>Name der Person</translation>
  </message>
  <message>
   <source>Record</source>
   <translation>Aufnehmen</translation>
  </message>
  <message>
   <source>From a file …</source>
   <translation>Aus Datei …</translation>
  </message>
  <message>
   <source>Save this voice</source>
   <translation>Stimme speichern</translation>
  </message>
  <message>
   <source>Discard</source>
   <translation>Verwerfen</translation>
  </message>
  <message>
   <source>Keep the sound too (it can be embedded anew when models change)</source>
   <translation>Auch den Ton behalten (für künftige Modelle)</translation>
  </message>
  <message>
   <source>Keep the sound too</source>
   <translation>Auch den Ton behalten</translation>
  </message>
  <message>
   <source>Quality of the recording</source>
   <translation>Güte der Aufnahme</translation>
  </message>
  <message>
   <source>Seconds of speech recorded</source>
   <translation>Sekunden aufgenommener Sprache</translation>
  </message>
  <message>
   <source>Choose a recording of one person</source>
   <translation>Wählen Sie eine Aufnahme einer Person</translation>
  </message>
  <message>
   <source>{name} is enrolled, and is shown by name from the next start on</source>
   <translation>{name} ist registriert und wird ab dem nächsten Start mit Namen gezeigt</translation>
  </message>
  <message>
   <source>{s} s of speech · {quality}</source>
   <translation>{s} s Sprache · {quality}</translation>
  </message>
  <message>
   <source>too quiet or too noisy: come nearer</source>
   <translation>zu leise oder zu verrauscht: näher kommen</translation>
  </message>
  <message>
   <source>enough</source>
   <translation>genug</translation>
  </message>
  <message>
   <source>good, go on</source>
   <translation>gut, weiter so</translation>
  </message>
  <message>
   <source>Stop</source>
   <translation>Anhalten</translation>
  </message>
  <message>
   <source>Stop recording</source>
   <translation>Aufnahme anhalten</translation>
  </message>
  <message>
   <source>Record a voice</source>
   <translation>Stimme aufnehmen</translation>
  </message>
  <message>
   <source>{what}, in a new recording.</source>
   <translation>{what}, in einer neuen Aufnahme.</translation>
  </message>
  <message>
   <source>It needs a name first.</source>
   <translation>Vorher braucht sie einen Namen.</translation>
  </message>
  <message>
   <source>{s} s of speech</source>
   <translation>{s} s Sprache</translation>
  </message>
  <message>
   <source>To do better: {advice}.</source>
   <translation>So wird es besser: {advice}.</translation>
  </message>
  <message>
   <source>That is good.</source>
   <translation>Das ist gut.</translation>
  </message>
  <message>
   <source>Check how good it is, then save it.</source>
   <translation>Sehen Sie nach, wie gut die Aufnahme ist, und speichern Sie dann.</translation>
  </message>
  <message>
   <source>&amp;Playback</source>
   <translation>&amp;Wiedergabe</translation>
  </message>
  <message>
   <source>Speed</source>
   <translation>Geschwindigkeit</translation>
  </message>
  <message>
   <source>Leave silence out</source>
   <translation>Stille auslassen</translation>
  </message>
  <message>
   <source>Without noise</source>
   <translation>Ohne Rauschen</translation>
  </message>
  <message>
   <source>Hear the demo and files at their own speed</source>
   <translation>Demo und Dateien in Echtzeit mithören</translation>
  </message>
  <message>
   <source>The system's default</source>
   <translation>Vorgabe des Systems</translation>
  </message>
  <message>
   <source>Volume</source>
   <translation>Lautstärke</translation>
  </message>
  <message>
   <source>Hear only</source>
   <translation>Nur anhören</translation>
  </message>
  <message>
   <source>Loudspeaker</source>
   <translation>Lautsprecher</translation>
  </message>
  <message>
   <source>Everybody</source>
   <translation>Alle</translation>
  </message>
  <message>
   <source>Speech</source>
   <translation>Sprache</translation>
  </message>
  <message>
   <source>Recordings</source>
   <translation>Aufnahmen</translation>
  </message>
  <message>
   <source>Encoder</source>
   <translation>Encoder</translation>
  </message>
  <message>
   <source>Changed</source>
   <translation>Geändert</translation>
  </message>
  <message>
   <source>Nobody is enrolled yet.
Enrol somebody on the right, or remember a voice from a conversation.</source>
   <translation>Noch ist niemand registriert.
Registrieren Sie rechts jemanden, oder merken Sie sich eine Stimme aus einem Gespräch.</translation>
  </message>
  <message>
   <source>Remove the profile of {name}? Its numbers and sound are deleted for good.</source>
   <translation>Das Profil von {name} entfernen? Seine Zahlen und sein Ton werden endgültig gelöscht.</translation>
  </message>
  <message>
   <source>Enrolled people</source>
   <translation>Registrierte Personen</translation>
  </message>
  <message>
   <source>Merge into …</source>
   <translation>Vereinen mit …</translation>
  </message>
  <message>
   <source>Import …</source>
   <translation>Import …</translation>
  </message>
  <message>
   <source>Merge</source>
   <translation>Vereinen</translation>
  </message>
  <message>
   <source>{name} is the same as</source>
   <translation>{name} ist dieselbe Person wie</translation>
  </message>
  <message>
   <source>Profiles (*.zip)</source>
   <translation>Profile (*.zip)</translation>
  </message>
  <message>
   <source>Import</source>
   <translation>Importieren</translation>
  </message>
  <message>
   <source>encrypted</source>
   <translation>verschlüsselt</translation>
  </message>
  <message>
   <source>damaged</source>
   <translation>beschädigt</translation>
  </message>
  <message>
   <source>{name}? That is {percent} sure.</source>
   <translation>{name}? Das ist zu {percent} sicher.</translation>
  </message>
  <message>
   <source>Review</source>
   <translation>Prüfung</translation>
  </message>
  <message>
   <source>The turn that is reviewed</source>
   <translation>Der geprüfte Beitrag</translation>
  </message>
  <message>
   <source>Right</source>
   <translation>Stimmt</translation>
  </message>
  <message>
   <source>Somebody else …</source>
   <translation>Jemand anders …</translation>
  </message>
  <message>
   <source>Nobody</source>
   <translation>Niemand</translation>
  </message>
  <message>
   <source>Somebody new</source>
   <translation>Jemand Neues</translation>
  </message>
  <message>
   <source>It is {name}</source>
   <translation>Es ist {name}</translation>
  </message>
  <message>
   <source>The uncertain turn before</source>
   <translation>Voriger unsicherer Beitrag</translation>
  </message>
  <message>
   <source>Hear it again</source>
   <translation>Noch einmal anhören</translation>
  </message>
  <message>
   <source>The next uncertain turn</source>
   <translation>Nächster unsicherer Beitrag</translation>
  </message>
  <message>
   <source>End the review</source>
   <translation>Prüfung beenden</translation>
  </message>
  <message>
   <source>no turn is uncertain any more</source>
   <translation>kein Beitrag ist mehr unsicher</translation>
  </message>
  <message numerus="yes">
   <source>%n uncertain turns</source>
   <translation>
    <numerusform>%n unsicherer Beitrag</numerusform>
    <numerusform>%n unsichere Beiträge</numerusform>
   </translation>
  </message>
  <message>
   <source>a recording …</source>
   <translation>einer Aufnahme …</translation>
  </message>
  <message>
   <source>A recording of one person who agrees: ten seconds of talk or more, without noise or music.</source>
   <translation>Eine Aufnahme einer Person, die einverstanden ist: zehn Sekunden Rede oder mehr, ohne Rauschen und Musik.</translation>
  </message>
  <message>
   <source>Sound (*.wav *.flac *.ogg *.opus *.mp3)</source>
   <translation>Ton (*.wav *.flac *.ogg *.opus *.mp3)</translation>
  </message>
  <message>
   <source>saying it …</source>
   <translation>wird gesprochen …</translation>
  </message>
  <message>
   <source>saving …</source>
   <translation>wird gespeichert …</translation>
  </message>
  <message>
   <source>Say a text</source>
   <translation>Text sprechen</translation>
  </message>
  <message>
   <source>What is to be said, in English</source>
   <translation>Was gesprochen werden soll, auf Englisch</translation>
  </message>
  <message>
   <source>Text to say</source>
   <translation>Zu sprechender Text</translation>
  </message>
  <message>
   <source>Voice that says it</source>
   <translation>Stimme, die ihn spricht</translation>
  </message>
  <message>
   <source>Say it</source>
   <translation>Sprechen</translation>
  </message>
  <message>
   <source>Hear again</source>
   <translation>Noch einmal</translation>
  </message>
  <message>
   <source>Save …</source>
   <translation>Speichern …</translation>
  </message>
  <message>
   <source>Advanced settings of the speech</source>
   <translation>Erweiterte Einstellungen der Sprache</translation>
  </message>
  <message>
   <source>Two letters; others than en need the program espeak-ng</source>
   <translation>Zwei Buchstaben; andere als en brauchen das Programm espeak-ng</translation>
  </message>
  <message>
   <source>Language of the text</source>
   <translation>Sprache des Textes</translation>
  </message>
  <message>
   <source>Quality of the reference</source>
   <translation>Güte der Vorlage</translation>
  </message>
  <message>
   <source>Progress of the speech</source>
   <translation>Fortschritt der Sprache</translation>
  </message>
  <message>
   <source>State of the speech</source>
   <translation>Stand der Sprache</translation>
  </message>
  <message>
   <source>Save the speech</source>
   <translation>Sprache speichern</translation>
  </message>
  <message>
   <source>in the voice of</source>
   <translation>mit der Stimme von</translation>
  </message>
  <message>
   <source>Stop recording the reference</source>
   <translation>Aufnahme der Vorlage anhalten</translation>
  </message>
  <message>
   <source>Record a reference</source>
   <translation>Vorlage aufnehmen</translation>
  </message>
  <message>
   <source>Started</source>
   <translation>Beginn</translation>
  </message>
  <message>
   <source>Length</source>
   <translation>Länge</translation>
  </message>
  <message>
   <source>State</source>
   <translation>Status</translation>
  </message>
  <message>
   <source>Who speaks</source>
   <translation>Wer spricht</translation>
  </message>
  <message>
   <source>Source</source>
   <translation>Quelle</translation>
  </message>
  <message>
   <source>Session</source>
   <translation>Sitzung</translation>
  </message>
  <message>
   <source>Nothing is recorded yet.
Press the red button and listen to something.</source>
   <translation>Noch ist nichts aufgenommen.
Drücken Sie den roten Knopf und hören Sie etwas zu.</translation>
  </message>
  <message>
   <source>finished</source>
   <translation>fertig</translation>
  </message>
  <message>
   <source>recording</source>
   <translation>in Aufnahme</translation>
  </message>
  <message>
   <source>interrupted</source>
   <translation>unterbrochen</translation>
  </message>
  <message>
   <source>No session matches this search.</source>
   <translation>Keine Sitzung passt zu dieser Suche.</translation>
  </message>
  <message>
   <source>Delete the session {name}? Its sound and its turns are gone for good.</source>
   <translation>Die Sitzung {name} löschen? Ton und Beiträge sind dann endgültig verloren.</translation>
  </message>
  <message>
   <source>nobody</source>
   <translation>niemand</translation>
  </message>
  <message>
   <source>Sessions</source>
   <translation>Sitzungen</translation>
  </message>
  <message>
   <source>What was recorded: double-click one to see and hear it again, with the same views.</source>
   <translation>Was aufgenommen wurde: Ein Doppelklick zeigt eine Sitzung wieder, zum Sehen und Hören wie zuvor.</translation>
  </message>
  <message>
   <source>Search names, people, tags, notes and what was said</source>
   <translation>Namen, Personen, Schlagwörter, Notizen und Gesagtes durchsuchen</translation>
  </message>
  <message>
   <source>Search sessions</source>
   <translation>Sitzungen durchsuchen</translation>
  </message>
  <message>
   <source>Open</source>
   <translation>Öffnen</translation>
  </message>
  <message>
   <source>Export anonymised …</source>
   <translation>Anonymisieren …</translation>
  </message>
  <message>
   <source>Recorded sessions</source>
   <translation>Aufgenommene Sitzungen</translation>
  </message>
  <message>
   <source>Name of the session {name}:</source>
   <translation>Name der Sitzung {name}:</translation>
  </message>
  <message>
   <source>the session {name} was interrupted; {time} of it are kept</source>
   <translation>die Sitzung {name} wurde unterbrochen; {time} davon sind erhalten</translation>
  </message>
  <message>
   <source>{name} is exported: {where}</source>
   <translation>{name} ist exportiert: {where}</translation>
  </message>
  <message>
   <source>as the system</source>
   <translation>wie das System</translation>
  </message>
  <message>
   <source>light</source>
   <translation>hell</translation>
  </message>
  <message>
   <source>dark</source>
   <translation>dunkel</translation>
  </message>
  <message>
   <source>quick: labels are final after {s} s, and more often wrong</source>
   <translation>schnell: Kennungen sind nach {s} s endgültig, und öfter falsch</translation>
  </message>
  <message>
   <source>default: labels are final after {s} s</source>
   <translation>Vorgabe: Kennungen sind nach {s} s endgültig</translation>
  </message>
  <message>
   <source>careful: labels are final after {s} s</source>
   <translation>sorgfältig: Kennungen sind nach {s} s endgültig</translation>
  </message>
  <message>
   <source>off</source>
   <translation>aus</translation>
  </message>
  <message>
   <source>mlp: a small network for noisy speech</source>
   <translation>mlp: ein kleines Netz für verrauschte Sprache</translation>
  </message>
  <message>
   <source>seed: diffusion, slower</source>
   <translation>seed: Diffusion, langsamer</translation>
  </message>
  <message>
   <source>light: what comes with voicelane</source>
   <translation>leicht: was voicelane mitbringt</translation>
  </message>
  <message>
   <source>strong: CAM++ and segmentation-3.0, better in meetings, five times the CPU</source>
   <translation>stark: CAM++ und segmentation-3.0, besser in Besprechungen, fünffache CPU-Last</translation>
  </message>
  <message>
   <source> (run `voicelane models add strong`)</source>
   <translation> (mit `voicelane models add strong`)</translation>
  </message>
  <message>
   <source>the language changes with the next start</source>
   <translation>die Sprache ändert sich mit dem nächsten Start</translation>
  </message>
  <message>
   <source>the system's default</source>
   <translation>Vorgabe des Systems</translation>
  </message>
  <message>
   <source>Settings</source>
   <translation>Einstellungen</translation>
  </message>
  <message>
   <source>Every change is kept at once. What concerns the engine holds from the next start on.</source>
   <translation>Jede Änderung gilt sofort. Was das Erkennen betrifft, gilt ab dem nächsten Zuhören.</translation>
  </message>
  <message>
   <source>Theme</source>
   <translation>Farben</translation>
  </message>
  <message>
   <source>Microphone</source>
   <translation>Mikrofon</translation>
  </message>
  <message>
   <source>Models</source>
   <translation>Modelle</translation>
  </message>
  <message>
   <source>Latency against accuracy</source>
   <translation>Latenz oder Genauigkeit</translation>
  </message>
  <message>
   <source>Most speakers</source>
   <translation>Höchstzahl der Sprecher</translation>
  </message>
  <message>
   <source>Show enrolled people by name</source>
   <translation>Registrierte Personen mit Namen zeigen</translation>
  </message>
  <message>
   <source>Keep a recording of everything that is heard</source>
   <translation>Alles Gehörte aufnehmen</translation>
  </message>
  <message>
   <source>Take noise off what is heard; a recording keeps both sounds</source>
   <translation>Entrauschen; eine Aufnahme behält beides</translation>
  </message>
  <message>
   <source>Analyse files at their own speed</source>
   <translation>Dateien in Echtzeit auswerten</translation>
  </message>
  <message>
   <source>Language</source>
   <translation>Sprache</translation>
  </message>
  <message>
   <source>Appearance</source>
   <translation>Aussehen</translation>
  </message>
  <message>
   <source>Sound</source>
   <translation>Ton</translation>
  </message>
  <message>
   <source>Write down what is said, while it is said</source>
   <translation>Gesagtes mitschreiben, während es gesagt wird</translation>
  </message>
  <message>
   <source>Model of the words</source>
   <translation>Modell der Wörter</translation>
  </message>
  <message>
   <source>Language of the words</source>
   <translation>Sprache der Wörter</translation>
  </message>
  <message>
   <source>found out</source>
   <translation>wird erkannt</translation>
  </message>
  <message>
   <source>Words</source>
   <translation>Wörter</translation>
  </message>
  <message>
   <source>Engine</source>
   <translation>Erkennung</translation>
  </message>
  <message>
   <source>Lab view: curves, map, numbers, and switches for engineers</source>
   <translation>Laboransicht: Kurven, Karte, Zahlen, Schalter</translation>
  </message>
  <message>
   <source>For engineers</source>
   <translation>Für Fachleute</translation>
  </message>
  <message>
   <source>Profiles, sessions and these settings lie in {folder}</source>
   <translation>Profile, Sitzungen und diese Einstellungen liegen in {folder}</translation>
  </message>
  <message>
   <source>Model</source>
   <translation>Modell</translation>
  </message>
  <message>
   <source>very alike</source>
   <translation>sehr ähnlich</translation>
  </message>
  <message>
   <source>alike</source>
   <translation>ähnlich</translation>
  </message>
  <message>
   <source>a little alike</source>
   <translation>etwas ähnlich</translation>
  </message>
  <message>
   <source>hardly alike</source>
   <translation>kaum ähnlich</translation>
  </message>
  <message>
   <source>Nobody has spoken yet.
Everybody who speaks gets a lane and a line here.</source>
   <translation>Noch hat niemand gesprochen.
Wer spricht, erhält eine Spur und hier eine Zeile.</translation>
  </message>
  <message>
   <source>named</source>
   <translation>benannt</translation>
  </message>
  <message>
   <source>cosine {cosine}</source>
   <translation>Kosinus {cosine}</translation>
  </message>
  <message>
   <source>{name}, spoke {time}</source>
   <translation>{name}, sprach {time}</translation>
  </message>
  <message>
   <source>Name of the speaker</source>
   <translation>Name des Sprechers</translation>
  </message>
  <message>
   <source>Double-click to rename. Drag one onto another if they are the same.</source>
   <translation>Ein Doppelklick benennt um. Ziehen Sie einen auf den anderen, wenn beide dieselbe Person sind.</translation>
  </message>
  <message>
   <source>Speakers</source>
   <translation>Sprecher</translation>
  </message>
  <message>
   <source>speaking</source>
   <translation>spricht</translation>
  </message>
  <message>
   <source>known</source>
   <translation>bekannt</translation>
  </message>
  <message>
   <source>new</source>
   <translation>neu</translation>
  </message>
  <message>
   <source>Summary of {title}</source>
   <translation>Übersicht zu {title}</translation>
  </message>
  <message>
   <source>Export as a page …</source>
   <translation>Als Seite exportieren …</translation>
  </message>
  <message>
   <source>Export as PDF …</source>
   <translation>Als PDF exportieren …</translation>
  </message>
  <message>
   <source>Print …</source>
   <translation>Drucken …</translation>
  </message>
  <message>
   <source>Play this turn</source>
   <translation>Diesen Beitrag abspielen</translation>
  </message>
  <message>
   <source>This turn belongs to</source>
   <translation>Dieser Beitrag gehört zu</translation>
  </message>
  <message>
   <source>It is right</source>
   <translation>Er stimmt</translation>
  </message>
  <message>
   <source>Divide this turn here</source>
   <translation>Diesen Beitrag hier teilen</translation>
  </message>
  <message>
   <source>Join it with the next</source>
   <translation>Mit dem nächsten verbinden</translation>
  </message>
  <message>
   <source>Delete this turn</source>
   <translation>Diesen Beitrag löschen</translation>
  </message>
  <message>
   <source>Split {name} here</source>
   <translation>{name} hier trennen</translation>
  </message>
  <message>
   <source>Remember the voice of {name} …</source>
   <translation>Stimme von {name} merken …</translation>
  </message>
  <message>
   <source>Split {name} at the cursor</source>
   <translation>{name} an der Marke trennen</translation>
  </message>
  <message>
   <source>Of {name}</source>
   <translation>Von {name}</translation>
  </message>
  <message>
   <source>Of somebody new</source>
   <translation>Von jemand Neuem</translation>
  </message>
  <message>
   <source>Who may {name} be?</source>
   <translation>Wer könnte {name} sein?</translation>
  </message>
  <message>
   <source>Hear everybody</source>
   <translation>Alle anhören</translation>
  </message>
  <message>
   <source>Hear only {name}</source>
   <translation>Nur {name} anhören</translation>
  </message>
  <message>
   <source>All voices again</source>
   <translation>Wieder alle Stimmen</translation>
  </message>
  <message>
   <source>Only this voice</source>
   <translation>Nur diese Stimme</translation>
  </message>
  <message>
   <source>Insert a turn here</source>
   <translation>Hier einen Beitrag einfügen</translation>
  </message>
  <message>
   <source>Insert a turn at the cursor</source>
   <translation>An der Marke einen Beitrag einfügen</translation>
  </message>
  <message>
   <source>sound lost</source>
   <translation>Ton verloren</translation>
  </message>
  <message>
   <source>microphone gone</source>
   <translation>Mikrofon weg</translation>
  </message>
  <message>
   <source>paused</source>
   <translation>angehalten</translation>
  </message>
  <message>
   <source>Spectrum</source>
   <translation>Spektrum</translation>
  </message>
  <message>
   <source>{percent} sure</source>
   <translation>zu {percent} sicher</translation>
  </message>
  <message>
   <source>tentative</source>
   <translation>vorläufig</translation>
  </message>
  <message>
   <source>Timeline of who speaks when</source>
   <translation>Zeitleiste der Sprecherwechsel</translation>
  </message>
  <message>
   <source>Left and right move the cursor, up and down go from turn to turn, space plays, plus and minus zoom, F follows the newest sound; of the chosen turn, [ and ] put the beginning and the end at the cursor, D divides it there, J joins it with the next, C confirms it, Delete deletes it; I inserts a turn</source>
   <translation>Links und Rechts bewegen die Marke, Auf und Ab gehen von Beitrag zu Beitrag, die Leertaste spielt ab, Plus und Minus vergrößern und verkleinern, F folgt dem neuesten Ton; beim gewählten Beitrag setzen [ und ] den Anfang und das Ende an die Marke, D teilt ihn dort, J verbindet ihn mit dem nächsten, C bestätigt ihn, Entf löscht ihn; I fügt einen Beitrag ein</translation>
  </message>
  <message>
   <source>What happened</source>
   <translation>Was geschah</translation>
  </message>
  <message>
   <source>Choose a microphone</source>
   <translation>Wählen Sie ein Mikrofon</translation>
  </message>
  <message>
   <source>All microphones are in the list above. Check the chosen one and say something: its level must move. Nothing of the check is kept.</source>
   <translation>Alle Mikrofone stehen in der Liste darüber. Prüfen Sie das gewählte und sagen Sie etwas: Der Pegel muss sich bewegen. Von der Prüfung bleibt nichts erhalten.</translation>
  </message>
  <message>
   <source>Speak, or let people speak</source>
   <translation>Sprechen Sie, oder lassen Sie sprechen</translation>
  </message>
  <message>
   <source>The red button above begins. Everybody who speaks gets a lane and a colour; what is hatched may still change.</source>
   <translation>Der rote Knopf darüber beginnt. Wer spricht, erhält eine Spur und eine Farbe; was schraffiert ist, kann sich noch ändern.</translation>
  </message>
  <message>
   <source>Name a voice</source>
   <translation>Benennen Sie eine Stimme</translation>
  </message>
  <message>
   <source>Double-click a speaker in the list, or press F2 there, and write the name. The menu of a speaker has the voice remembered: it is known by name from then on.</source>
   <translation>Doppelklicken Sie einen Sprecher in der Liste, oder drücken Sie dort F2, und schreiben Sie den Namen. Über das Menü eines Sprechers lässt sich die Stimme merken: Sie ist dann mit Namen bekannt.</translation>
  </message>
  <message>
   <source>Not the least sound: look for the mute switch, or choose another microphone.</source>
   <translation>Nicht der leiseste Ton: Sehen Sie nach dem Stummschalter, oder wählen Sie ein anderes Mikrofon.</translation>
  </message>
  <message>
   <source>Hardly anything is heard: speak, or come nearer.</source>
   <translation>Es ist kaum etwas zu hören: Sprechen Sie, oder kommen Sie näher.</translation>
  </message>
  <message>
   <source>{number} of {count}: {title}</source>
   <translation>{number} von {count}: {title}</translation>
  </message>
  <message>
   <source>Too loud: turn the microphone down.</source>
   <translation>Zu laut: Regeln Sie das Mikrofon herunter.</translation>
  </message>
  <message>
   <source>You are heard.</source>
   <translation>Sie sind zu hören.</translation>
  </message>
  <message>
   <source>Tour</source>
   <translation>Rundgang</translation>
  </message>
  <message>
   <source>Step of the tour</source>
   <translation>Schritt des Rundgangs</translation>
  </message>
  <message>
   <source>What was found</source>
   <translation>Was sich ergab</translation>
  </message>
  <message>
   <source>Check the microphone</source>
   <translation>Mikrofon prüfen</translation>
  </message>
  <message>
   <source>Back</source>
   <translation>Zurück</translation>
  </message>
  <message>
   <source>Next</source>
   <translation>Weiter</translation>
  </message>
  <message>
   <source>End the tour (Escape)</source>
   <translation>Rundgang beenden (Esc)</translation>
  </message>
  <message numerus="yes">
   <source>%n people have been heard.</source>
   <translation>
    <numerusform>%n Person war zu hören.</numerusform>
    <numerusform>%n Personen waren zu hören.</numerusform>
   </translation>
  </message>
  <message>
   <source>Named: {names}.</source>
   <translation>Benannt: {names}.</translation>
  </message>
  <message>
   <source>End the check</source>
   <translation>Prüfung beenden</translation>
  </message>
  <message>
   <source>No words are written down.
Recorded conversations can have theirs looked for; while somebody speaks they appear here if captions are switched on in Settings.</source>
   <translation>Es sind keine Wörter mitgeschrieben.
Aufgenommene Gespräche lassen sich nachträglich mitschreiben; andere erscheinen hier, wenn das Mitschreiben in den Einstellungen eingeschaltet ist.</translation>
  </message>
  <message>
   <source>Search in what was said</source>
   <translation>Im Gesagten suchen</translation>
  </message>
  <message>
   <source>How far the words are</source>
   <translation>Wie weit die Wörter sind</translation>
  </message>
  <message>
   <source>Copy</source>
   <translation>Kopieren</translation>
  </message>
  <message>
   <source>Write down what was said</source>
   <translation>Gesagtes mitschreiben</translation>
  </message>
  <message>
   <source>being written down: {percent}</source>
   <translation>wird mitgeschrieben: {percent}</translation>
  </message>
  <message>
   <source>What was said</source>
   <translation>Was gesagt wurde</translation>
  </message>
  <message>
   <source>Space plays, Enter plays the word at the cursor and goes on from there, F2 writes it otherwise</source>
   <translation>Die Leertaste spielt ab, die Eingabetaste spielt das Wort an der Schreibmarke und von dort weiter, F2 schreibt es anders</translation>
  </message>
  <message>
   <source>The word</source>
   <translation>Das Wort</translation>
  </message>
  <message>
   <source>copied</source>
   <translation>kopiert</translation>
  </message>
  <message numerus="yes">
   <source>%n found</source>
   <translation>
    <numerusform>%n gefunden</numerusform>
    <numerusform>%n gefunden</numerusform>
   </translation>
  </message>
  <message>
   <source>words can be changed when the conversation is over</source>
   <translation>Wörter lassen sich ändern, wenn das Gespräch vorbei ist</translation>
  </message>
  <message>
   <source>Hear “{text}”</source>
   <translation>„{text}“ anhören</translation>
  </message>
  <message>
   <source>Play from here</source>
   <translation>Ab hier abspielen</translation>
  </message>
  <message>
   <source>Write it otherwise …</source>
   <translation>Anders schreiben …</translation>
  </message>
  <message>
   <source>Leave it out</source>
   <translation>Weglassen</translation>
  </message>
  <message>
   <source>Begin a new conversation (Ctrl+L)</source>
   <translation>Neues Gespräch beginnen (Strg+L)</translation>
  </message>
  <message>
   <source>Play from the cursor (Space)</source>
   <translation>Ab der Marke abspielen (Leertaste)</translation>
  </message>
  <message>
   <source>Pause playing (Space)</source>
   <translation>Wiedergabe anhalten (Leertaste)</translation>
  </message>
  <message>
   <source>Pause listening (Ctrl+L)</source>
   <translation>Zuhören anhalten (Strg+L)</translation>
  </message>
  <message>
   <source>Go on listening (Ctrl+L)</source>
   <translation>Zuhören fortsetzen (Strg+L)</translation>
  </message>
  <message>
   <source>Transport</source>
   <translation>Steuerung</translation>
  </message>
  <message>
   <source>Source of the sound</source>
   <translation>Tonquelle</translation>
  </message>
  <message>
   <source>Stop listening (Ctrl+.)</source>
   <translation>Zuhören beenden (Strg+.)</translation>
  </message>
  <message>
   <source>How it is played: speed, silence, who, where, how loud</source>
   <translation>Wie abgespielt wird: Geschwindigkeit, Stille, wer, wo, wie laut</translation>
  </message>
  <message>
   <source>Keep a recording of what is heard</source>
   <translation>Gehörtes aufnehmen</translation>
  </message>
  <message>
   <source>Time heard so far</source>
   <translation>Bisher gehörte Zeit</translation>
  </message>
  <message>
   <source>Position in the conversation</source>
   <translation>Stelle im Gespräch</translation>
  </message>
  <message>
   <source>Progress of the file</source>
   <translation>Fortschritt der Datei</translation>
  </message>
  <message>
   <source>Choose a sound file</source>
   <translation>Tondatei wählen</translation>
  </message>
  <message>
   <source>Default microphone</source>
   <translation>Standardmikrofon</translation>
  </message>
  <message>
   <source>Sound file …</source>
   <translation>Tondatei …</translation>
  </message>
  <message>
   <source>of {time}</source>
   <translation>von {time}</translation>
  </message>
  <message>
   <source>the microphone is gone; waiting for it …</source>
   <translation>das Mikrofon ist weg; wartet darauf …</translation>
  </message>
  <message>
   <source>● recording</source>
   <translation>● nimmt auf:</translation>
  </message>
  <message>
   <source>listening, not recorded:</source>
   <translation>hört zu, ohne Aufnahme:</translation>
  </message>
  <message>
   <source>All files</source>
   <translation>Alle Dateien</translation>
  </message>
  <message>
   <source>opening {name} …</source>
   <translation>öffnet {name} …</translation>
  </message>
  <message>
   <source>nothing heard yet</source>
   <translation>noch nichts gehört</translation>
  </message>
  <message>
   <source>paused · {title}</source>
   <translation>angehalten · {title}</translation>
  </message>
  <message>
   <source>writing the rest …</source>
   <translation>schreibt den Rest …</translation>
  </message>
  <message>
   <source>1 in 1,000 strangers</source>
   <translation>1 von 1.000 Fremden</translation>
  </message>
  <message>
   <source>1 in 100 strangers</source>
   <translation>1 von 100 Fremden</translation>
  </message>
  <message>
   <source>5 in 100 strangers</source>
   <translation>5 von 100 Fremden</translation>
  </message>
  <message>
   <source>Nobody is enrolled yet; go to People first.</source>
   <translation>Noch ist niemand registriert; gehen Sie zuerst zu „Personen“.</translation>
  </message>
  <message>
   <source>How likely it is this person</source>
   <translation>Ob es diese Person ist</translation>
  </message>
  <message>
   <source>a computer made or changed this speech, whoever it sounds like</source>
   <translation>ein Computer hat diese Sprache erzeugt oder verändert, nach wem auch immer sie klingt</translation>
  </message>
  <message>
   <source>A conversation is being heard; when it is over, somebody can be verified.</source>
   <translation>Ein Gespräch wird gerade gehört; ist es vorbei, lässt sich jemand prüfen.</translation>
  </message>
  <message>
   <source>Let one person speak alone: everything that is heard counts as one voice.</source>
   <translation>Lassen Sie eine Person allein sprechen: Alles Gehörte zählt als eine Stimme.</translation>
  </message>
  <message>
   <source>, score {score}</source>
   <translation>, Wert {score}</translation>
  </message>
  <message>
   <source>Verify</source>
   <translation>Prüfen</translation>
  </message>
  <message>
   <source>Compares the voice of the source chosen above with that of an enrolled person. That alone is no protection against recordings; digits that are asked for are one, through the microphone.</source>
   <translation>Vergleicht die Stimme der oben gewählten Quelle mit der einer registrierten Person. Das allein schützt nicht vor Aufnahmen; abgefragte Ziffern tun es, über das Mikrofon.</translation>
  </message>
  <message>
   <source>Enrolled person</source>
   <translation>Registrierte Person</translation>
  </message>
  <message>
   <source>False accepts</source>
   <translation>Falsche Annahmen</translation>
  </message>
  <message>
   <source>Evidence</source>
   <translation>Anhaltspunkte</translation>
  </message>
  <message>
   <source>Verdict</source>
   <translation>Urteil</translation>
  </message>
  <message>
   <source>History</source>
   <translation>Verlauf</translation>
  </message>
  <message>
   <source>Log-likelihood ratio over seconds of speech</source>
   <translation>Log-Likelihood-Verhältnis über Sekunden Sprache</translation>
  </message>
  <message>
   <source>seconds of speech</source>
   <translation>Sekunden Sprache</translation>
  </message>
  <message>
   <source>; {name} is accepted from {threshold} on</source>
   <translation>; {name} wird ab {threshold} angenommen</translation>
  </message>
  <message>
   <source>the voice fits</source>
   <translation>die Stimme passt</translation>
  </message>
  <message>
   <source>the voice does not fit</source>
   <translation>die Stimme passt nicht</translation>
  </message>
  <message>
   <source>accepts {strangers}</source>
   <translation>nimmt {strangers} an</translation>
  </message>
  <message>
   <source>Is it</source>
   <translation>Ist es</translation>
  </message>
  <message>
   <source>How the evidence grew</source>
   <translation>Wie die Anhaltspunkte wuchsen</translation>
  </message>
  <message>
   <source>Stop verifying</source>
   <translation>Prüfung beenden</translation>
  </message>
  <message>
   <source>Accepted</source>
   <translation>Angenommen</translation>
  </message>
  <message>
   <source>Rejected</source>
   <translation>Abgelehnt</translation>
  </message>
  <message>
   <source>Voices appear here as points after some seconds of speech.</source>
   <translation>Stimmen erscheinen hier als Punkte, nach einigen Sekunden Sprache.</translation>
  </message>
  <message>
   <source>Map of the voices</source>
   <translation>Karte der Stimmen</translation>
  </message>
  <message>
   <source>before the enhancer</source>
   <translation>vor der Verbesserung</translation>
  </message>
  <message>
   <source>Show voices before the enhancer</source>
   <translation>Stimmen vor der Verbesserung zeigen</translation>
  </message>
  <message>
   <source>There is nothing to compare unless an enhancer is chosen in the settings</source>
   <translation>Es gibt nichts zu vergleichen, solange in den Einstellungen keine Verbesserung gewählt ist</translation>
  </message>
  <message>
   <source>no turn</source>
   <translation>kein Beitrag</translation>
  </message>
  <message>
   <source>Voices appear here as points once there are some.</source>
   <translation>Stimmen erscheinen hier als Punkte, sobald es welche gibt.</translation>
  </message>
  <message>
   <source>● nobody's   ◆ people   · could be drawn</source>
   <translation>● niemandes   ◆ Personen   · noch ziehbar</translation>
  </message>
  <message>
   <source>Map of the voices that can speak</source>
   <translation>Karte der Stimmen, die sprechen können</translation>
  </message>
  <message>
   <source>Map</source>
   <translation>Karte</translation>
  </message>
  <message>
   <source>Voices that are nobody's, and those of enrolled people who consent, say what you write. A file that is saved carries an inaudible mark, and says in its properties that a computer made it.</source>
   <translation>Stimmen, die niemandem gehören, und die registrierter Personen, die zustimmen, sprechen, was Sie schreiben. Eine gespeicherte Datei trägt ein unhörbares Zeichen und sagt in ihren Eigenschaften, dass ein Computer sie erzeugt hat.</translation>
  </message>
  <message>
   <source>What is missing</source>
   <translation>Was fehlt</translation>
  </message>
  <message>
   <source>the microphone is gone ({device}). Everything heard so far is kept; listening goes on as soon as it is back.</source>
   <translation>das Mikrofon ist weg ({device}). Alles bisher Gehörte bleibt erhalten; das Zuhören geht weiter, sobald es zurück ist.</translation>
  </message>
  <message>
   <source>{device} delivers digital silence: not the least sound for five seconds. Look for its mute switch and the system's permission to record, or stop and choose another microphone.</source>
   <translation>{device} liefert digitale Stille: fünf Sekunden lang nicht den leisesten Ton. Sehen Sie nach dem Stummschalter und der Erlaubnis des Systems zum Aufnehmen, oder beenden Sie und wählen Sie ein anderes Mikrofon.</translation>
  </message>
  <message>
   <source>Listen</source>
   <translation>Zuhören</translation>
  </message>
  <message>
   <source>Pages</source>
   <translation>Seiten</translation>
  </message>
  <message>
   <source>Open a sound file …</source>
   <translation>Tondatei öffnen …</translation>
  </message>
  <message>
   <source>Begin a new conversation</source>
   <translation>Neues Gespräch beginnen</translation>
  </message>
  <message>
   <source>Quit</source>
   <translation>Beenden</translation>
  </message>
  <message>
   <source>Undo</source>
   <translation>Rückgängig</translation>
  </message>
  <message>
   <source>Redo</source>
   <translation>Wiederholen</translation>
  </message>
  <message>
   <source>Lab view</source>
   <translation>Laboransicht</translation>
  </message>
  <message>
   <source>Follow the newest sound</source>
   <translation>Dem neuesten Ton folgen</translation>
  </message>
  <message>
   <source>Zoom in</source>
   <translation>Vergrößern</translation>
  </message>
  <message>
   <source>Zoom out</source>
   <translation>Verkleinern</translation>
  </message>
  <message>
   <source>Show everything</source>
   <translation>Alles zeigen</translation>
  </message>
  <message>
   <source>&amp;Help</source>
   <translation>&amp;Hilfe</translation>
  </message>
  <message>
   <source>{problem}; the defaults are used</source>
   <translation>{problem}; es gelten die Vorgaben</translation>
  </message>
  <message>
   <source>Page: {title}</source>
   <translation>Seite: {title}</translation>
  </message>
  <message>
   <source>{title} (Ctrl+{number})</source>
   <translation>{title} (Strg+{number})</translation>
  </message>
  <message>
   <source>&amp;File</source>
   <translation>&amp;Datei</translation>
  </message>
  <message>
   <source>&amp;Edit</source>
   <translation>&amp;Bearbeiten</translation>
  </message>
  <message>
   <source>&amp;View</source>
   <translation>&amp;Ansicht</translation>
  </message>
  <message>
   <source>there is no conversation on the screen</source>
   <translation>es ist kein Gespräch zu sehen</translation>
  </message>
  <message>
   <source>a turn can be divided only within it; put the cursor there</source>
   <translation>ein Beitrag lässt sich nur in seinem Inneren teilen; setzen Sie die Marke dorthin</translation>
  </message>
  <message>
   <source>there is no later turn of this speaker to join it with</source>
   <translation>es gibt keinen späteren Beitrag dieses Sprechers, mit dem er zu verbinden wäre</translation>
  </message>
  <message>
   <source>only {s} s of speech were found, too little to know a voice by; {advice}</source>
   <translation>es waren nur {s} s Sprache zu finden, zu wenig, um eine Stimme zu erkennen; {advice}</translation>
  </message>
  <message>
   <source>Summary as a page for browsers</source>
   <translation>Übersicht als Seite für Browser</translation>
  </message>
  <message>
   <source>Summary to be printed, PDF</source>
   <translation>Übersicht zum Drucken, PDF</translation>
  </message>
  <message>
   <source>Minutes, DOCX</source>
   <translation>Protokoll, DOCX</translation>
  </message>
  <message>
   <source>Minutes, Markdown</source>
   <translation>Protokoll, Markdown</translation>
  </message>
  <message>
   <source>Transcript, text</source>
   <translation>Mitschrift, Text</translation>
  </message>
  <message>
   <source>RTTM, for diarisation tools</source>
   <translation>RTTM, für Diarisierungsprogramme</translation>
  </message>
  <message>
   <source>JSON, everything</source>
   <translation>JSON, alles</translation>
  </message>
  <message>
   <source>CSV, for spreadsheets</source>
   <translation>CSV, für Tabellen</translation>
  </message>
  <message>
   <source>SRT subtitles</source>
   <translation>SRT-Untertitel</translation>
  </message>
  <message>
   <source>WebVTT subtitles</source>
   <translation>WebVTT-Untertitel</translation>
  </message>
  <message>
   <source>Labels for Audacity</source>
   <translation>Textmarken für Audacity</translation>
  </message>
  <message>
   <source>ELAN annotations</source>
   <translation>ELAN-Annotationen</translation>
  </message>
  <message>
   <source>TextGrid for Praat</source>
   <translation>TextGrid für Praat</translation>
  </message>
  <message>
   <source>WAV, one file per speaker</source>
   <translation>WAV, eine Datei je Sprecher</translation>
  </message>
  <message>
   <source>something unexpected went wrong; please report what the terminal says</source>
   <translation>etwas Unerwartetes ging schief; bitte melden Sie, was das Terminal sagt</translation>
  </message>
  <message>
   <source>the system</source>
   <translation>das System</translation>
  </message>
  <message>
   <source>{title} is not recorded. It is gone when you go on, unless you save it.</source>
   <translation>{title} ist nicht aufgenommen. Wenn Sie weitergehen, ist es verloren, es sei denn, Sie speichern es.</translation>
  </message>
  <message>
   <source>{title} is on the screen, and stays in Sessions. {act}?</source>
   <translation>{title} ist zu sehen und bleibt in „Sitzungen“. {act}?</translation>
  </message>
  <message>
   <source>{name} is there already ({other}). Is it the same person?</source>
   <translation>{name} gibt es schon ({other}). Ist es dieselbe Person?</translation>
  </message>
  <message>
   <source>The same person</source>
   <translation>Dieselbe Person</translation>
  </message>
  <message>
   <source>Two of that name</source>
   <translation>Zwei mit diesem Namen</translation>
  </message>
  <message>
   <source>{sentence}. Is that right?</source>
   <translation>{sentence}. Stimmt das?</translation>
  </message>
  <message>
   <source>{act} without saving</source>
   <translation>{act}, ohne zu speichern</translation>
  </message>
  <message>
   <source>Call them {name}</source>
   <translation>Mit {name} benennen</translation>
  </message>
  <message>
   <source>No</source>
   <translation>Nein</translation>
  </message>
  <message>
   <source>Demo conversation</source>
   <translation>Demogespräch</translation>
  </message>
  <message>
   <source>Encrypted profiles</source>
   <translation>Verschlüsselte Profile</translation>
  </message>
  <message>
   <source>The voices of enrolled people are encrypted. Passphrase:</source>
   <translation>Die Stimmen registrierter Personen sind verschlüsselt. Passphrase:</translation>
  </message>
  <message>
   <source>the profiles are encrypted and no passphrase was given; nobody is known by name</source>
   <translation>die Profile sind verschlüsselt, und es wurde keine Passphrase angegeben; niemand ist mit Namen bekannt</translation>
  </message>
  <message>
   <source>no sound can be played ({problem}); is a loudspeaker connected?</source>
   <translation>es lässt sich kein Ton abspielen ({problem}); ist ein Lautsprecher angeschlossen?</translation>
  </message>
  <message>
   <source>the microphone would hear what is played; pause or stop it first</source>
   <translation>das Mikrofon würde hören, was abgespielt wird; halten Sie es zuerst an, oder beenden Sie es</translation>
  </message>
  <message>
   <source>everybody who is heard is recorded; tell them so</source>
   <translation>alle, die zu hören sind, werden aufgenommen; sagen Sie es ihnen</translation>
  </message>
  <message>
   <source>the voice of {name} was not measured, or by another encoder; it cannot be kept</source>
   <translation>Die Stimme von {name} wurde nicht oder von einem anderen Modell vermessen und lässt sich nicht herausheben</translation>
  </message>
  <message>
   <source>the words of {name} are written down</source>
   <translation>die Wörter von {name} sind mitgeschrieben</translation>
  </message>
  <message>
   <source>a conversation is being heard; stop it before a file is opened</source>
   <translation>ein Gespräch wird gerade gehört; beenden Sie es, bevor Sie eine Datei öffnen</translation>
  </message>
  <message>
   <source>save the conversation first; then its words can be looked for</source>
   <translation>speichern Sie zuerst das Gespräch; dann lässt es sich mitschreiben</translation>
  </message>
  <message>
   <source>the conversation is still being heard or saved; it can be deleted after that</source>
   <translation>das Gespräch wird noch gehört oder gespeichert; danach lässt es sich löschen</translation>
  </message>
  <message>
   <source>the conversation is being saved; try again in a moment</source>
   <translation>das Gespräch wird gerade gespeichert; versuchen Sie es gleich noch einmal</translation>
  </message>
  <message>
   <source>the conversation is still being heard; stop it before it is saved</source>
   <translation>das Gespräch wird noch gehört; beenden Sie es, bevor Sie es speichern</translation>
  </message>
  <message>
   <source>a conversation is being heard; stop it before another one is opened</source>
   <translation>ein Gespräch wird gerade gehört; beenden Sie es, bevor Sie ein anderes öffnen</translation>
  </message>
  <message>
   <source>nobody who could be heard speaks behind the cursor</source>
   <translation>hinter der Marke spricht niemand, den man hören könnte</translation>
  </message>
  <message>
   <source>no turn is uncertain</source>
   <translation>kein Beitrag ist unsicher</translation>
  </message>
  <message>
   <source>Listen to {name}</source>
   <translation>{name} anhören</translation>
  </message>
  <message>
   <source>saved as the session {name}</source>
   <translation>gespeichert als Sitzung {name}</translation>
  </message>
  <message numerus="yes">
   <source>%n files are heard after this one</source>
   <translation>
    <numerusform>%n Datei wird nach dieser gehört</numerusform>
    <numerusform>%n Dateien werden nach dieser gehört</numerusform>
   </translation>
  </message>
  <message>
   <source>{name} is taken; choose another name for the session</source>
   <translation>{name} ist vergeben; wählen Sie einen anderen Namen für die Sitzung</translation>
  </message>
  <message numerus="yes">
   <source>Listen to %n files</source>
   <translation>
    <numerusform>%n Datei anhören</numerusform>
    <numerusform>%n Dateien anhören</numerusform>
   </translation>
  </message>
  <message>
   <source>{title} is saved</source>
   <translation>{title} ist gespeichert</translation>
  </message>
  <message>
   <source>comparing the voice with the people of all sessions</source>
   <translation>die Stimme wird mit den Personen aller Sitzungen verglichen</translation>
  </message>
  <message>
   <source>save the conversation first; then its people can be compared with others</source>
   <translation>speichern Sie zuerst das Gespräch; dann lassen sich seine Personen mit anderen vergleichen</translation>
  </message>
  <message>
   <source>nobody else sounds like {name}</source>
   <translation>niemand sonst klingt wie {name}</translation>
  </message>
  <message>
   <source>there is no reference yet; choose a recording of one person, or record one</source>
   <translation>es gibt noch keine Vorlage; wählen Sie eine Aufnahme einer Person, oder nehmen Sie eine auf</translation>
  </message>
  <message>
   <source>the recording</source>
   <translation>die Aufnahme</translation>
  </message>
  <message>
   <source>{name} is made; seed {seed} draws it again</source>
   <translation>{name} ist erzeugt; der Startwert {seed} zieht sie noch einmal</translation>
  </message>
  <message>
   <source>saved, marked as synthetic: {where}</source>
   <translation>gespeichert, als künstlich gekennzeichnet: {where}</translation>
  </message>
 </context>
</TS>
