// Makes the pictures of the demo in README.md: runs it on its virtual screen, takes a frame out of its stream
// (demo-screen.png) and draws what it printed (demo.svg).
//
//   node docs/pictures/demo.mjs
import { execFile, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const FONT_PX = 14;
const LINE_PX = 20;
const COLUMN_PX = 8.45;
const PADDING_PX = 20;
const BAR_PX = 34;

const path = (name) => fileURLToPath(new URL(name, import.meta.url));

/** Runs the demo for a while; calls `meanwhile` with the stream's address once it has reported a change. */
async function runDemo(meanwhile) {
  const { DISPLAY: _, ...env } = process.env;
  const stdio = ['ignore', 'pipe', 'inherit'];
  const demo = spawn(process.execPath, [path('../../bin/demo.mjs'), '-d', '9s'], { env, stdio });
  let output = '';
  let busy;
  for await (const chunk of demo.stdout) {
    output += chunk;
    const url = /rtsp:\/\/[\w.:/]+/.exec(output)?.[0];
    if (url && output.includes('new: ')) busy ??= meanwhile(url);
  }
  if (!busy) throw new Error('the demo reported no change');
  await busy;
  return output;
}

function takeFrame(url) {
  const args = ['-loglevel', 'error', '-y', '-rtsp_transport', 'tcp', '-i', url, '-frames:v', '1'];
  return promisify(execFile)('ffmpeg', [...args, path('demo-screen.png')]);
}

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** A terminal window with these lines. */
function drawTerminal(lines) {
  const width = Math.ceil(Math.max(...lines.map((line) => line.length)) * COLUMN_PX) + 2 * PADDING_PX;
  const height = BAR_PX + lines.length * LINE_PX + 2 * PADDING_PX;
  const texts = lines.map((line, index) => {
    const y = BAR_PX + PADDING_PX + index * LINE_PX + FONT_PX;
    return `  <text x="${PADDING_PX}" y="${y}" xml:space="preserve">${escaped(line)}</text>`;
  });
  const lights = ['#ff5f57', '#febc2e', '#28c840'].map(
    (colour, index) => `  <circle cx="${PADDING_PX + index * 20}" cy="${BAR_PX / 2}" r="6" fill="${colour}"/>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    `  <style>text { font: ${FONT_PX}px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #e6e6e6 }</style>`,
    `  <rect width="${width}" height="${height}" rx="10" fill="#10141a"/>`,
    `  <path d="M0 ${BAR_PX}V10A10 10 0 0 1 10 0H${width - 10}A10 10 0 0 1 ${width} 10V${BAR_PX}Z" fill="#2a3038"/>`,
    ...lights,
    ...texts,
    '</svg>',
    '',
  ].join('\n');
}

const output = await runDemo(takeFrame);
writeFileSync(path('demo.svg'), drawTerminal(['$ npm run demo -- -d 9s', ...output.trimEnd().split('\n')]));
