// Who speaks now, for a browser source: ?size=32&colour=white&background=%23000&captions=1&session=ID
import { Lanes, address } from "/page/lanes.js";

const asked = new URLSearchParams(location.search);
let lanes = new Lanes();
document.body.style.fontSize = `${Math.min(400, Math.max(6, Number(asked.get("size")) || 32))}px`;
if (asked.get("colour")) document.body.style.color = asked.get("colour");

function connect() {
  const socket = new WebSocket(address("/v1/live"));
  socket.onopen = () => socket.send(JSON.stringify({ type: "watch", session: asked.get("session") || "" }));
  socket.onmessage = (event) => { lanes.hear(JSON.parse(event.data)); draw(); };
  socket.onclose = () => { lanes = new Lanes(); draw(); setTimeout(connect, 1000); };
}

function draw() {
  document.getElementById("speaking").replaceChildren(...[...lanes.speaking.keys()].map((speaker) => {
    const label = document.createElement("span");
    label.textContent = lanes.names.get(speaker);
    label.style.background = asked.get("background") || lanes.colour(speaker);
    return label;
  }));
  const lines = asked.get("captions") ? lanes.lines(2) : [];
  document.getElementById("captions").textContent = lines.map((line) => `${line.name}: ${line.text}`).join("\n");
}

window.voicelane = { lanes: () => lanes };
connect();
