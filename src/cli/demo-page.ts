// What the demo's terminal shows: a page of text of which a line changes now and then.

const JOBS = [
  'compile the addon',
  'run the unit tests',
  'pack the tarball',
  'publish the release notes',
  'clean the cache',
];
const INTERVAL_MS = 2500;

let turn = 0;

function draw(): void {
  const time = new Date().toTimeString().slice(0, 8);
  const done = JOBS.slice(0, turn % (JOBS.length + 1));
  const lines = [
    'Build server status',
    '',
    `Clock          ${time}`,
    `Build number   ${4711 + Math.floor(turn / (JOBS.length + 1))}`,
    '',
    ...JOBS.map((job) => `${done.includes(job) ? 'done' : 'open'}   ${job}`),
    '',
    done.length === JOBS.length ? 'All jobs finished' : `Now: ${JOBS[done.length]}`,
  ];
  process.stdout.write(`\u001b[2J\u001b[H\u001b[?25l${lines.join('\r\n')}`);
  turn += 1;
}

draw();
setInterval(draw, INTERVAL_MS);
