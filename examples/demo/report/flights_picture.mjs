// @ts-check

/** @import { RecordCursor } from '@strand/core' */
/** @import { flightSchema } from '../schema/flights.mjs' */

import { AsideSummary } from './aside_summary.mjs';
import { drawBars } from './bars.mjs';
import { counted, formatCount } from './format.mjs';
import { truncate } from './text.mjs';

const HOURS = 24;

/** Average delay by the hour of departure. */
export class FlightsPicture {
  aside = new AsideSummary();
  #flights = new Float64Array(HOURS);
  #minutes = new Float64Array(HOURS);
  /** Flights without a delay or a time of day. */
  #without = 0;

  /** @param {RecordCursor<typeof flightSchema>} cursor on the record to add */
  add(cursor) {
    this.aside.add(cursor.getJson('_rest'));
    const delay = cursor.getI32('delay');
    const time = cursor.getF64('time');
    if (delay === null || time === null || !(time >= 0 && time < HOURS)) {
      this.#without += 1;
      return;
    }
    const hour = Math.floor(time);
    this.#flights[hour] = (this.#flights[hour] ?? 0) + 1;
    this.#minutes[hour] = (this.#minutes[hour] ?? 0) + delay;
  }

  /**
   * @param {number} columns of the terminal
   * @returns {string[]} lines
   */
  draw(columns) {
    const bars = Array.from(this.#flights, (flights, hour) => {
      const average = flights === 0 ? undefined : (this.#minutes[hour] ?? 0) / flights;
      return {
        label: String(hour).padStart(2, '0'),
        value: average,
        text: average?.toFixed(1) ?? '–',
        note: counted(flights, 'flight'),
      };
    });
    const without =
      this.#without === 0 ? [] : [`  (${formatCount(this.#without)} without a delay or a time of day)`];
    return [
      truncate('Average delay in minutes, by hour of departure', columns),
      ...drawBars(bars, columns),
      ...without,
    ];
  }
}
