export { clientModelOf } from './client-model.js';
export { MCP_PATH, mcpDoor } from './http-door.js';
export { LiveStream } from './live-stream.js';
export { Screens } from './screens.js';
export { serveStdio } from './stdio.js';
