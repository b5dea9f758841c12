/** What is known of how a stream reaches one reader, counted since it came. */
export interface ReaderReport {
  /** Of no other reader at the same time: `rtsp 3`. */
  readonly id: string;
  /** Of its stream. */
  readonly path: string;
  /** Whether it is on this machine, so that no network is between. */
  readonly isLocal: boolean;
  /** Over TCP: bytes that it has acknowledged, and those that wait for it. */
  readonly acknowledgedBytes?: number | undefined;
  readonly backlogBytes?: number | undefined;
  /** Times that whole GOPs were dropped for it. */
  readonly drops?: number | undefined;
  /** By its newest RTCP report (RFC 3550, 6.4.1), over UDP. */
  readonly rtcp?: RtcpReport | undefined;
  /** What its congestion control takes the connection for (REMB). */
  readonly estimateKbps?: number | undefined;
}

/** A report block. */
export interface RtcpReport {
  readonly packetsLost: number;
  /** Extended sequence number of the newest packet. */
  readonly highestSequence: number;
  readonly jitterMs: number;
}
