import { Lanes, address } from "/page/lanes.js";

const WINDOW_S = 60;
const $ = (id) => document.getElementById(id);
let lanes = new Lanes(), socket = null, session = "", latest = 0, sound = null, ended = false;

$("listen").onclick = () => (sound ? stop() : listen());

async function listen() {
  const microphone = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: false, noiseSuppression: false } });
  const context = new AudioContext();
  await context.audioWorklet.addModule("/page/microphone.js");
  const worklet = new AudioWorkletNode(context, "microphone");
  context.createMediaStreamSource(microphone).connect(worklet);
  worklet.port.onmessage = (event) => { if (socket?.readyState === 1 && session) socket.send(event.data); };
  sound = { microphone, context };
  [lanes, session, latest, ended] = [new Lanes(), "", 0, false];
  $("listen").textContent = "Stop";
  connect();
}

function connect() {
  socket = new WebSocket(address("/v1/live"));
  const start = { type: "start", encoding: "pcm_s16le", rate: sound.context.sampleRate, people: $("people").checked, captions: $("captions_wanted").checked };
  socket.onopen = () => socket.send(JSON.stringify(session ? { type: "resume", session, after: latest } : start));
  socket.onmessage = (event) => hear(JSON.parse(event.data));
  socket.onclose = (event) => {
    if (event.code < 4000 && event.code !== 1000 && sound && !ended) setTimeout(connect, 500);
    else if (sound) silence();
  };
}

function hear(message) {
  latest = message.seq || latest;
  if (message.session) session = message.session;
  if (message.type === "error") $("state").textContent = message.message;
  if (message.type === "health") $("state").textContent = message.reason || `${message.heard_s.toFixed(0)} s heard`;
  lanes.hear(message);
  draw();
}

function stop() {
  ended = true;
  if (socket.readyState === 1) socket.send(JSON.stringify({ type: "end" }));
  silence();
}

function silence() {
  sound.microphone.getTracks().forEach((track) => track.stop());
  sound.context.close();
  sound = null;
  $("listen").textContent = "Listen";
}

function draw() {
  const from = Math.max(0, lanes.heard - WINDOW_S);
  for (const speaker of lanes.names.keys()) {
    const lane = document.querySelector(`[data-speaker="${CSS.escape(speaker)}"]`) || laneOf(speaker);
    lane.querySelector("button").textContent = lanes.names.get(speaker);
    lane.querySelector("button").style.color = lanes.speaking.has(speaker) ? lanes.colour(speaker) : "";
    lane.querySelector(".track").replaceChildren(...spans(speaker, lanes.final, from, ""), ...spans(speaker, lanes.tentative, from, "tentative"));
  }
  $("captions").textContent = lanes.lines(6).map((line) => `${line.name}: ${line.text}`).join("\n");
}

function laneOf(speaker) {
  const lane = document.createElement("div");
  lane.className = "lane";
  lane.dataset.speaker = speaker;
  const name = document.createElement("button"), track = document.createElement("div");
  name.title = "rename";
  name.onclick = () => rename(speaker, prompt("Who is it?", lanes.names.get(speaker)));
  track.className = "track";
  lane.append(name, track);
  $("lanes").append(lane);
  return lane;
}

function rename(speaker, name) {
  if (name && socket?.readyState === 1) socket.send(JSON.stringify({ type: "rename", speaker, name }));
}

function spans(speaker, turns, from, kind) {
  return turns.filter((turn) => turn.speaker === speaker && turn.end_s > from).map((turn) => {
    const span = document.createElement("div");
    span.className = `span ${kind}`;
    span.style.left = `${(100 * Math.max(0, turn.start_s - from)) / WINDOW_S}%`;
    span.style.width = `${(100 * (turn.end_s - Math.max(from, turn.start_s))) / WINDOW_S}%`;
    span.style.background = lanes.colour(speaker);
    return span;
  });
}

window.voicelane = { lanes: () => lanes, rename, stop };
