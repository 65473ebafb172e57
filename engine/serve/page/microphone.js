// Blocks of 100 ms of the microphone as 16 bit samples, at the rate that the browser has.
class Microphone extends AudioWorkletProcessor {
  constructor() {
    super();
    this.block = new Int16Array(Math.round(sampleRate / 10));
    this.filled = 0;
  }

  process(inputs) {
    const sound = inputs[0][0];
    for (let i = 0; sound && i < sound.length; i++) {
      this.block[this.filled++] = Math.max(-1, Math.min(1, sound[i])) * 32767;
      if (this.filled === this.block.length) {
        this.port.postMessage(this.block.slice().buffer);
        this.filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("microphone", Microphone);
