# A WHIP server that others push to, by aiortc: decodes what is published, and writes it into a file as an H.264 byte
# stream. Strict: it refuses what RFC 9725 does not allow.
# usage: whip_server.py PORT FILE [TOKEN]
# Prints "ready" when it serves, and a line for each request: "POST 201", "DELETE 200".
import asyncio
import re
import sys
import uuid

import aioice.ice
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.codecs import h264

PORT, FILE = int(sys.argv[1]), sys.argv[2]
TOKEN = sys.argv[3] if len(sys.argv) > 3 else None
ENDPOINT = "/whip/live"

# The loopback is the only network that is everywhere, and the only one that both sides leave out of what they offer.
aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]

sessions = {}
decode = h264.H264Decoder.decode
got = open(FILE, "ab")


def decode_and_keep(self, frame):
    decoded = decode(self, frame)
    # What cannot be decoded was not received.
    if decoded:
        got.write(frame.data)
        got.flush()
    return decoded


h264.H264Decoder.decode = decode_and_keep


async def take(track):
    while True:
        await track.recv()


async def offer(headers, body):
    if headers.get("content-type") != "application/sdp":
        return 415, {}, ""
    text = body.decode()
    wrong = [
        text.count("m=") != 1 or "m=video " not in text,
        "a=sendonly" not in text or "a=recvonly" in text or "a=sendrecv" in text,
        "a=setup:actpass" not in text,
        "a=rtcp-mux" not in text,
        "a=ice-ufrag:" not in text or "a=fingerprint:sha-256 " not in text,
    ]
    if any(wrong):
        return 400, {}, f"{wrong}"
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    tasks = []
    peer.on("track", lambda track: tasks.append(asyncio.ensure_future(take(track))))
    text = re.sub(r"(a=candidate:\S+ 1 UDP \d+) \S+", r"\1 127.0.0.1", text)
    await peer.setRemoteDescription(RTCSessionDescription(text, "offer"))
    # RFC 9725 wants the client to begin the DTLS handshake. aiortc, which would, never sends what was lost again.
    peer.getTransceivers()[0].receiver.transport._set_role("server")
    await peer.setLocalDescription(await peer.createAnswer())
    name = uuid.uuid4().hex
    sessions[f"/session/{name}"] = (peer, tasks)
    # Relative to the endpoint, as it may be.
    return 201, {"Location": f"../session/{name}", "Content-Type": "application/sdp"}, peer.localDescription.sdp


async def answer(method, path, headers, body):
    if TOKEN and headers.get("authorization") != f"Bearer {TOKEN}":
        return 401, {"WWW-Authenticate": "Bearer"}, ""
    if method == "POST" and path == "/moved/live":
        return 307, {"Location": ENDPOINT}, ""
    if method == "POST" and path == ENDPOINT:
        return await offer(headers, body)
    if method == "DELETE" and path in sessions:
        await sessions.pop(path)[0].close()
        return 200, {}, ""
    return 404, {}, ""


async def serve(reader, writer):
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, path, _ = head[0].split(" ")
    headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    status, extra, text = await answer(method, path, headers, body)
    fields = {"Connection": "close", "Content-Length": len(text.encode()), **extra}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    writer.write(f"HTTP/1.1 {status} -\r\n{lines}\r\n{text}".encode())
    print(method, status, flush=True)
    writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", PORT)
    print("ready", flush=True)
    await server.serve_forever()


asyncio.run(main())
