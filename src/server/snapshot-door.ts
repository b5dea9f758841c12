import { type Context, Hono } from 'hono';
import { CapError, closeAll, type ErrorCode, formatSize, once, toCapError } from '../core/index.js';
import { type ServedStream, type Still, StillDoor, type StreamTable } from '../session/index.js';
import { type HttpDoor, streamFor } from './http-door.js';
import { encodeSnapshot, type SnapshotPicture } from './snapshot-picture.js';
import { parseSnapshotQuery, type SnapshotFormat } from './snapshot-query.js';

const MEDIA_TYPES = { jpg: 'image/jpeg', png: 'image/png', webp: 'image/webp' } as const;
/** A picture being made takes some ten megabytes. */
const MOST_REQUESTS = 8;
const STATUS: Partial<Record<ErrorCode, 400 | 404 | 503>> = {
  CAP_USAGE: 400,
  CAP_CLOSED: 404,
  CAP_FRAME_UNAVAILABLE: 503,
  CAP_DEPENDENCY_MISSING: 503,
};

/** The pictures that were asked for and are being encoded, by what was asked for. */
type UnderWay = Map<string, Promise<SnapshotPicture>>;

/** `GET /snapshot/<mount>.jpg`, `.png` or `.webp`: one picture of a stream, with its age. */
export function snapshotDoor(streams: StreamTable): HttpDoor {
  const doors = new Map<string, StillDoor>();
  const underWay: UnderWay = new Map();
  let requests = 0;
  const add = ({ path, stream }: ServedStream): void => {
    doors.set(path, new StillDoor(stream));
  };
  const remove = ({ path }: ServedStream): void => {
    void doors.get(path)?.close();
    doors.delete(path);
  };
  for (const served of streams) add(served);
  streams.on('added', add).on('removed', remove);

  const routes = new Hono().get('/snapshot/*', async (context) => {
    context.header('Cache-Control', 'no-store');
    const { searchParams } = new URL(context.req.url);
    const [, mount, extension] = /^\/snapshot(\/.+)\.(jpe?g|png|webp)$/.exec(context.req.path) ?? [];
    const door = doors.get(streamFor(context, streams, mount)?.path ?? '');
    if (mount === undefined || !door) {
      return context.text(`no such stream; ask for /snapshot/<mount>.jpg, .png or .webp\n`, 404);
    }
    if (requests >= MOST_REQUESTS) {
      context.header('Retry-After', '1');
      return context.text('too many snapshots at once\n', 503);
    }
    requests += 1;
    try {
      const format = extension === 'jpeg' ? 'jpg' : (extension as SnapshotFormat);
      return await answer(context, { door, mount, format, query: searchParams }, underWay);
    } catch (error) {
      return refuse(context, door, toCapError(error));
    } finally {
      requests -= 1;
    }
  });
  const close = once(async () => {
    streams.off('added', add).off('removed', remove);
    await closeAll([...doors.values()]);
  });
  return { routes, close };
}

interface SnapshotRequest {
  readonly door: StillDoor;
  readonly mount: string;
  readonly format: SnapshotFormat;
  readonly query: URLSearchParams;
}

async function answer(
  context: Context,
  { door, mount, format, query: text }: SnapshotRequest,
  underWay: UnderWay,
): Promise<Response> {
  const query = parseSnapshotQuery(text, format);
  const still = await door.take(query.still);
  const { preset, widthPx, region, view, quality } = query;
  const same = JSON.stringify([mount, still.number, format, preset?.name, widthPx, region, view, quality]);
  const encoding = underWay.get(same) ?? encodeSnapshot(still, query, format).finally(() => underWay.delete(same));
  underWay.set(same, encoding);
  const picture = await encoding;
  const { maxAgeMs, agoMs = 0 } = query.still;
  if (agoMs === 0 && still.ageMs() > maxAgeMs) {
    throw new CapError(
      'CAP_FRAME_UNAVAILABLE',
      `the picture was ${Math.round(still.ageMs())} ms old when it was ready`,
      {
        hint: 'allow a greater max_age, or ask for a smaller picture',
      },
    );
  }
  return context.body(new Uint8Array(picture.data), 200, {
    'Content-Type': MEDIA_TYPES[format],
    'Cap-Size': formatSize(picture),
    ...describe(still),
  });
}

/** What is known of a picture's origin. */
function describe({ metadata, ageMs }: Still): Record<string, string> {
  return {
    'Cap-Frame-Age-Ms': String(Math.round(ageMs())),
    ...(metadata && {
      'Cap-Frame-Number': String(metadata.frameNumber),
      'Cap-Captured-At': new Date(Number(metadata.capturedWallUs / 1000n)).toISOString(),
      'Cap-Source-Size': formatSize(metadata.source),
    }),
  };
}

function refuse(context: Context, door: StillDoor, error: CapError): Response {
  const status = STATUS[error.code] ?? 500;
  const ageMs = door.newestAgeMs;
  if (status === 503) {
    context.header('Retry-After', String(Math.ceil((error.retryAfterMs ?? 1000) / 1000)));
    if (ageMs !== undefined) context.header('Cap-Frame-Age-Ms', String(Math.round(ageMs)));
  }
  return context.text(`${error.message}${error.hint ? ` (${error.hint})` : ''}\n`, status);
}
