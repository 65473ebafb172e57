// Who speaks, live, through `voicelane serve`: node examples/live_client.mjs talk.webm (any container)
// Node 22 and browsers have WebSocket; for Node 20 start it with --experimental-websocket.
import { readFileSync } from "node:fs";

const [path, url = "http://127.0.0.1:8765"] = process.argv.slice(2);
const sound = readFileSync(path);
const socket = new WebSocket(`${url.replace("http", "ws")}/v1/live`);

socket.onopen = () => {
  socket.send(JSON.stringify({ type: "start", encoding: "container" }));
  for (let at = 0; at < sound.length; at += 4096) socket.send(sound.subarray(at, at + 4096));
  socket.send(JSON.stringify({ type: "end" }));
};

socket.onmessage = (event) => {
  const said = JSON.parse(event.data);
  if (said.type === "error") console.error(said.message);
  if (said.type === "end")
    for (const turn of said.turns)
      console.log(turn.start_s.toFixed(2), turn.end_s.toFixed(2), turn.name);
};
