import * as vega from 'vega';
import { compile } from 'vega-lite';
import { FONT, LEFT, WIDTH } from './chart_spec.mjs';

/**
 * Draws a Vega-Lite specification, by numbers alone: the same specification gives the same bytes.
 *
 * @param {object} spec
 * @param {{ title: string, description: string }} texts for who cannot see it
 * @returns {Promise<string>}
 */
export async function renderSvg(spec, { title, description }) {
  const view = new vega.View(vega.parse(compile(spec).spec), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return asCard(svg, title, description);
}

/**
 * The background becomes a card that stands out from dark pages and from light ones, of one width for all
 * charts; the font is named once.
 */
function asCard(svg, title, description) {
  const labels = `<title>${escapeXml(title)}</title><desc>${escapeXml(description)}</desc>`;
  const height = Number(/<svg [^>]*\bheight="([\d.]+)"/.exec(svg)?.[1]);
  const root = `xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}"`;
  const edge = `x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8"`;
  const card = svg
    .replaceAll(` font-family="${FONT}"`, '')
    .replace(/<svg [^>]*>/, `<svg ${root} font-family="${FONT}" role="img">${labels}`)
    // Without a canvas Vega overestimates the width of names, and would move long ones to the right.
    .replace(/transform="translate\([\d.]+,/, `transform="translate(${LEFT},`)
    .replace(/<rect [^>]*\bfill="(#\w+)"(\/>|><\/rect>)/, `<rect ${edge} fill="$1" stroke="#d1d9e0"/>`);
  return `${card}\n`;
}

function escapeXml(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
