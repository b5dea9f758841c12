import type { ReaderState } from './rate-controller.js';
import type { ReaderReport, RtcpReport } from './reader-report.js';

/** Beyond this share of packets lost, a picture of some ten packets is damaged every third time. */
const MOST_LOSS = 0.03;
/** Send time of what waits in a TCP connection. */
const MOST_BACKLOG_MS = 500;
/** Jitter alone never proves congestion, as large frames arrive over a while; from a third of this on nothing is tried. */
const MOST_JITTER_MS = 750;
/** A reader that has not reported for so many periods is not heard. */
const MOST_AGE = 15;
/** Fewer packets tell nothing of loss. */
const LEAST_PACKETS = 20;
/** Of a connection that its reader takes for smaller than what it is sent. */
const ESTIMATE_MARGIN = 0.95;

/** What a stream sent in a period, and what it may send at present. */
export interface SentInPeriod {
  readonly kbps: number;
  readonly boundKbps: number;
}

/** Makes of what a reader has counted since it came what happened to it lately. */
export class ReaderTracker {
  #period = -1;
  #acknowledgedBytes: number | undefined;
  #drops: number | undefined;
  #rtcp: RtcpReport | undefined;
  #rtcpAt = 0;
  /** Kilobits sent since the newest report. */
  #sentSince = 0;
  #state: ReaderState | undefined;

  /** @returns undefined while nothing is known of it */
  update(period: number, report: ReaderReport, sent: SentInPeriod): ReaderState | undefined {
    this.#sentSince += sent.kbps;
    const tcp = this.#ofTcp(period, report, sent);
    const udp = this.#ofRtcp(period, report, sent);
    this.#period = period;
    const news = udp ?? tcp;
    if (news) this.#state = news;
    if (this.#state && period - this.#state.cameAt > MOST_AGE) this.#state = undefined;
    return this.#state;
  }

  #ofTcp(period: number, report: ReaderReport, { kbps, boundKbps }: SentInPeriod): ReaderState | undefined {
    const { acknowledgedBytes, backlogBytes, drops } = report;
    const droppedNow = (drops ?? 0) - (this.#drops ?? drops ?? 0);
    const arrived = (acknowledgedBytes ?? 0) - (this.#acknowledgedBytes ?? acknowledgedBytes ?? 0);
    const isFirst = this.#acknowledgedBytes === undefined;
    this.#drops = drops;
    this.#acknowledgedBytes = acknowledgedBytes;
    if (acknowledgedBytes === undefined || isFirst) return undefined;
    const arrivedKbps = (arrived * 8) / 1000 / Math.max(1, period - this.#period);
    const backlogMs = backlogBytes ? (backlogBytes * 8) / Math.max(1, arrivedKbps) : 0;
    const congestion = Math.max(backlogMs / MOST_BACKLOG_MS, droppedNow > 0 ? 2 : 0);
    const delivered = congestion >= 1 && kbps > 0 ? Math.min(1, arrivedKbps / kbps) : 1;
    return { congestion, delivered, arrived: arrivedKbps / boundKbps, measuredFrom: period - 1, cameAt: period };
  }

  #ofRtcp(period: number, { rtcp, estimateKbps }: ReaderReport, { boundKbps }: SentInPeriod): ReaderState | undefined {
    const before = this.#rtcp;
    if (!rtcp || (before && rtcp.highestSequence === before.highestSequence)) return undefined;
    const from = this.#rtcpAt;
    const packets = before ? rtcp.highestSequence - before.highestSequence : 0;
    if (before && packets > 0 && packets < LEAST_PACKETS) return undefined;
    const kbps = this.#sentSince / Math.max(1, period - from);
    this.#rtcp = rtcp;
    this.#rtcpAt = period;
    this.#sentSince = 0;
    // Its first report may be of packets from before it played, and a lower number of another source.
    if (!before || packets <= 0) return undefined;
    const loss = Math.min(1, Math.max(0, (rtcp.packetsLost - before.packetsLost) / packets));
    const tooSmall = estimateKbps !== undefined && estimateKbps < kbps * ESTIMATE_MARGIN;
    const jitter = Math.min(0.9, rtcp.jitterMs / MOST_JITTER_MS);
    const delivered = tooSmall ? Math.min(1 - loss, estimateKbps / kbps) : 1 - loss;
    return {
      congestion: Math.max(loss / MOST_LOSS, jitter, tooSmall ? 1 : 0),
      delivered,
      arrived: (delivered * kbps) / boundKbps,
      measuredFrom: from,
      cameAt: period,
    };
  }
}
