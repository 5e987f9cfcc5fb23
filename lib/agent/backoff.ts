export interface RetryOptions {
  /** Attempts at a batch before it is given up, the first one included and those that were not sent left out: 6 unless given. */
  readonly maxAttempts?: number | undefined;
  /** The longest delay before the second attempt; it doubles with each: 500 unless given. */
  readonly baseMs?: number | undefined;
  /** The longest delay, but for what the service asks for: 30,000 unless given. */
  readonly maxMs?: number | undefined;
  /** Retries that each answer pays for: 0.2 unless given. */
  readonly budgetRatio?: number | undefined;
  /** Retries a second that are paid for besides, all batches together: 1 unless given. */
  readonly budgetPerSecond?: number | undefined;
  /** What can be saved up, and is there at the start: 20 unless given. */
  readonly budgetReserve?: number | undefined;
}

/** Retry options with all their values. */
export type RetryLimits = { readonly [K in keyof RetryOptions]-?: number };

const MILLIS = 1000;
/** 2 to more than that is no number any more. */
const MAX_DOUBLINGS = 100;

/**
 * How long to wait before another attempt: exponential backoff with full jitter, and never so soon that all batches
 * together take more retries than their budget holds. A batch does not give up because the budget is empty; it waits.
 *
 * Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015. The budget is that of Finagle's
 * RetryBudget, which has retries paid by successes and by time.
 */
export class Backoff {
  readonly #options: RetryLimits;
  readonly #random: () => number;
  readonly #now: () => number;
  /** Retries that may begin; below 0 some wait for theirs. */
  #budget: number;
  #paidAt: number;

  constructor(options: RetryLimits, random: () => number = Math.random, now = () => performance.now()) {
    this.#options = options;
    this.#random = random;
    this.#now = now;
    this.#budget = options.budgetReserve;
    this.#paidAt = now();
  }

  /**
   * @param attempt the one that failed
   * @param counted how many attempts count against their limit
   * @param retryAfterMs what the service asks for
   * @returns milliseconds; undefined where there is to be no other attempt
   */
  delay(attempt: number, counted: number, retryAfterMs = 0): number | undefined {
    const { maxAttempts, baseMs, maxMs, budgetPerSecond } = this.#options;
    if (counted >= maxAttempts) return undefined;
    this.#pay(0);
    const missing = Math.max(0, 1 - this.#budget);
    if (missing > 0 && budgetPerSecond === 0) return undefined;
    this.#budget -= 1;
    const forBudget = missing === 0 ? 0 : (missing / budgetPerSecond) * MILLIS;
    const jitter = this.#random() * Math.min(maxMs, baseMs * 2 ** Math.min(attempt - 1, MAX_DOUBLINGS));
    // Not at that moment: others were told the same.
    const asked = retryAfterMs === 0 ? 0 : retryAfterMs + this.#random() * baseMs;
    return Math.max(jitter, asked, forBudget);
  }

  succeeded(): void {
    this.#pay(this.#options.budgetRatio);
  }

  #pay(retries: number): void {
    const { budgetPerSecond, budgetReserve } = this.#options;
    const now = this.#now();
    const earned = retries + ((now - this.#paidAt) / MILLIS) * budgetPerSecond;
    this.#paidAt = now;
    this.#budget = Math.min(budgetReserve, this.#budget + earned);
  }
}
