// Types like a person: pauses that vary and are longer where one thinks, wrong keys that are noticed and taken back.
import { setTimeout as delay } from "node:timers/promises";

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Medians in milliseconds. */
const pauses = { letter: 130, wordStart: 190, symbol: 230, erase: 130, move: 110, notice: 350, newLine: 750 };
/** Of the logarithm: two thirds of all pauses lie within a factor of 1.4 of the median. */
const spread = 0.35;
const shareOfSlips = 0.03;
const lettersBeforeNoticing = 2;
const rows = ["qwertyuiop", "asdfghjkl", "zxcvbnm"];

/** What the recordings say of how they came about. */
export function describeTypist(seed) {
  const { letter, wordStart, symbol, newLine } = pauses;
  return (
    "a program pressed the keys in code-server; pauses are modelled (log-normal, medians " +
    `${letter} ms within words, ${wordStart} ms before them, ${symbol} ms for other signs, ${newLine} ms for new lines), ` +
    `${shareOfSlips * 100} % of letters slip and are corrected, seed ${seed}; completions and suggestion lists were off`
  );
}

export class Typist {
  #keyboard;
  #random;
  #nextMs = performance.now();
  #last = " ";

  constructor(keyboard, seed) {
    this.#keyboard = keyboard;
    this.#random = seeded(seed);
  }

  /** `steps`: texts, in which a line feed is Enter, and names of keys as `{ key, times }`. */
  async play(steps) {
    this.#nextMs = performance.now();
    for (const step of steps) {
      if (typeof step === "string") await this.#type(step);
      else await this.#repeat(step);
    }
  }

  async #repeat({ key, times = 1 }) {
    for (let count = 0; count < times; count++) {
      await this.#after(key === "Backspace" ? pauses.erase : pauses.move);
      await this.#keyboard.press(key);
    }
    this.#last = " ";
  }

  async #type(text) {
    for (let at = 0; at < text.length; at++) {
      if (this.#slips(text[at])) await this.#slip(text.slice(at));
      await this.#key(text[at]);
    }
  }

  #slips(character) {
    return /[a-z]/.test(character) && /[a-z]/.test(this.#last) && this.#random() < shareOfSlips;
  }

  /** The key beside the right one, and a few letters until it is noticed; then all of it goes. */
  async #slip(text) {
    const ahead = /^[a-z]*/.exec(text)[0].slice(1, 1 + Math.floor(this.#random() * (lettersBeforeNoticing + 1)));
    const wrong = this.#neighbour(text[0]) + ahead;
    for (const letter of wrong) await this.#key(letter);
    this.#nextMs += this.#vary(pauses.notice);
    await this.#repeat({ key: "Backspace", times: wrong.length });
  }

  #neighbour(letter) {
    const row = rows.find((keys) => keys.includes(letter));
    const at = row.indexOf(letter);
    return at > 0 && this.#random() < 0.5 ? row[at - 1] : (row[at + 1] ?? row[at - 1]);
  }

  async #key(character) {
    await this.#after(this.#pauseBefore(character));
    if (character === "\n") await this.#keyboard.press("Enter");
    else await this.#keyboard.type(character);
    this.#last = character;
  }

  #pauseBefore(character) {
    if (this.#last === "\n") return pauses.newLine;
    if (!/[a-z ]/.test(character)) return pauses.symbol;
    return /[a-z]/.test(this.#last) || character === " " ? pauses.letter : pauses.wordStart;
  }

  async #after(medianMs) {
    // Who was held up by a busy machine does not hurry to make up for it.
    this.#nextMs = Math.max(this.#nextMs + this.#vary(medianMs), performance.now());
    await delay(this.#nextMs - performance.now());
  }

  /** Box and Muller's way to a normal number. */
  #vary(medianMs) {
    const radius = Math.sqrt(-2 * Math.log(1 - this.#random()));
    return medianMs * Math.exp(spread * radius * Math.cos(2 * Math.PI * this.#random()));
  }
}
