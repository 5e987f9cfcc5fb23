// @ts-check

const NEWLINE = 10;
const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const OPEN_BRACKET = 91;
const BACKSLASH = 92;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;
const SPACE = 32;

/**
 * Finds where an element of a JSON array ends, without judging it: that is for `JSON.parse`. Where brackets do not match
 * or a string is not closed, it settles for the nearest end that makes sense, so that a malformed element takes no other
 * with it:
 * - a string ends with its line at the latest (JSON has no line breaks in strings);
 * - a closing bracket closes what was opened inside it and not closed;
 * - an object that begins where a name belongs is the next element.
 */
export class JsonElementScanner {
  /** Line breaks seen since `begin`. */
  lines = 0;
  /**
   * Brackets that are open, outermost first.
   *
   * @type {number[]}
   */
  #open = [];
  #inString = false;
  #escaped = false;
  /** The last character that is neither space nor inside a string. */
  #last = 0;

  /** Whether brackets are open. */
  get isOpen() {
    return this.#open.length > 0;
  }

  /**
   * Begins an element.
   *
   * @param {number} first its first character's code; `scan` goes on behind it
   */
  begin(first) {
    this.lines = 0;
    this.#open.length = 0;
    if (first === OPEN_BRACE || first === OPEN_BRACKET) this.#open.push(first);
    this.#inString = first === QUOTE;
    this.#escaped = false;
    this.#last = first;
  }

  /**
   * @param {string} text
   * @param {number} from
   * @returns {number} the position behind the element, −1 where the text ends first
   */
  scan(text, from) {
    const open = this.#open;
    for (let at = from; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (code === BACKSLASH) this.#escaped = true;
        else if (code === QUOTE) this.#inString = false;
        if (code !== NEWLINE) continue;
        this.#inString = false;
        this.#escaped = false;
      }
      if (open.length === 0) {
        if (code === COMMA || code === CLOSE_BRACKET || code === OPEN_BRACE || code === NEWLINE) return at;
        this.#inString = code === QUOTE;
        continue;
      }
      switch (code) {
        case QUOTE:
          this.#inString = true;
          break;
        case OPEN_BRACE:
          if (open[open.length - 1] === OPEN_BRACE && this.#last !== COLON) return at;
          open.push(code);
          break;
        case OPEN_BRACKET:
          open.push(code);
          break;
        case CLOSE_BRACE:
        case CLOSE_BRACKET: {
          const opener = open.lastIndexOf(code === CLOSE_BRACE ? OPEN_BRACE : OPEN_BRACKET);
          if (opener === -1 && code === CLOSE_BRACKET) return at;
          if (opener !== -1) open.length = opener;
          if (open.length === 0) return at + 1;
          break;
        }
        case NEWLINE:
          this.lines += 1;
          continue;
      }
      if (code > SPACE) this.#last = code;
    }
    return -1;
  }
}
