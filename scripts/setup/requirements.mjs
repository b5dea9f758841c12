/**
 * What the machine must have, in one table: how to see that it is there, why it is needed, and
 * which package of which package manager brings it.
 *
 * Stages: `build` compiles the native addon, `run` captures and streams, `test` holds the clients
 * and displays that only the tests and benchmarks use.
 *
 * @typedef {'build' | 'run' | 'test'} Stage
 * @typedef {'apt' | 'dnf' | 'pacman'} Manager
 * @typedef {object} Requirement
 * @property {Stage} stage
 * @property {'command' | 'module' | 'header' | 'plugin' | 'file'} kind
 * @property {readonly string[]} names every one must be there; of a `file`, any one is enough
 * @property {string} why
 * @property {Readonly<Record<Manager, string>>} packages empty where it cannot be had beside the others
 */

/** @type {(stage: Stage, kind: Requirement['kind'], names: string, why: string, apt: string, dnf: string, pacman: string) => Requirement} */
const requirement = (stage, kind, names, why, apt, dnf, pacman) => ({
  stage,
  kind,
  names: names.split(' '),
  why,
  packages: { apt, dnf, pacman },
});

const FONT_FILES = [
  '/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf',
  '/usr/share/fonts/dejavu-sans-mono-fonts/DejaVuSansMono.ttf',
  '/usr/share/fonts/TTF/DejaVuSansMono.ttf',
].join(' ');

/** @type {readonly Requirement[]} */
// biome-ignore format: a table reads best with one row a line
export const REQUIREMENTS = [
  requirement('build', 'command', 'c++', 'compiles the native addon', 'g++', 'gcc-c++', 'gcc'),
  requirement('build', 'command', 'make', 'runs the native build', 'make', 'make', 'make'),
  requirement('build', 'command', 'python3', 'node-gyp is written in it', 'python3', 'python3', 'python'),
  requirement('build', 'command', 'pkg-config', 'finds the libraries', 'pkg-config', 'pkgconf-pkg-config', 'pkgconf'),
  requirement('build', 'module', 'gstreamer-1.0', 'the media framework', 'libgstreamer1.0-dev', 'gstreamer1-devel', 'gstreamer'),
  requirement('build', 'module', 'gstreamer-app-1.0 gstreamer-video-1.0 gstreamer-rtsp-1.0', 'its application, video and RTSP libraries', 'libgstreamer-plugins-base1.0-dev', 'gstreamer1-plugins-base-devel', 'gst-plugins-base-libs'),
  requirement('build', 'module', 'gstreamer-rtsp-server-1.0', 'the RTSP server', 'libgstrtspserver-1.0-dev', 'gstreamer1-rtsp-server-devel', 'gst-rtsp-server'),
  requirement('build', 'module', 'gio-2.0 gio-unix-2.0', 'main loop, sockets and D-Bus', 'libglib2.0-dev', 'glib2-devel', 'glib2-devel'),
  requirement('build', 'module', 'libpipewire-0.3', 'reads the screens that a desktop shares', 'libpipewire-0.3-dev', 'pipewire-devel', 'libpipewire'),
  requirement('build', 'module', 'wayland-client', 'reads the screens of Wayland compositors', 'libwayland-dev', 'wayland-devel', 'wayland'),
  requirement('build', 'module', 'libpulse', 'hears what the sound server plays', 'libpulse-dev', 'pulseaudio-libs-devel', 'libpulse'),
  requirement('build', 'module', 'x11', 'reads the X screen', 'libx11-dev', 'libX11-devel', 'libx11'),
  requirement('build', 'module', 'xrandr', 'knows the monitors', 'libxrandr-dev', 'libXrandr-devel', 'libxrandr'),
  requirement('build', 'module', 'xcb xcb-shm', 'reads the parts of the X screen that changed', 'libxcb-shm0-dev', 'libxcb-devel', 'libxcb'),
  requirement('build', 'module', 'xcb-damage', 'knows which parts changed', 'libxcb-damage0-dev', 'libxcb-devel', 'libxcb'),
  requirement('build', 'module', 'xcb-composite', 'reads windows that others cover', 'libxcb-composite0-dev', 'libxcb-devel', 'libxcb'),
  requirement('build', 'module', 'xcb-xfixes xcb-xinput', 'draws the cursor', 'libxcb-xfixes0-dev libxcb-xinput-dev', 'libxcb-devel', 'libxcb'),
  requirement('build', 'module', 'x264', 'encodes H.264', 'libx264-dev', 'x264-devel', 'x264'),
  requirement('build', 'header', 'libyuv.h', 'scales frames', 'libyuv-dev', 'libyuv-devel', 'libyuv'),

  requirement('run', 'plugin', 'app videorate videotestsrc', 'sources, conversion, hand-over to the addon', 'gstreamer1.0-plugins-base', 'gstreamer1-plugins-base', 'gst-plugins-base'),
  requirement('run', 'plugin', 'pango', 'draws the clock of the test picture', 'gstreamer1.0-x', 'gstreamer1-plugins-base', 'gst-plugins-base'),
  requirement('run', 'plugin', 'rtp rtpmanager rtsp udp isomp4', 'RTP, RTSP, MP4', 'gstreamer1.0-plugins-good', 'gstreamer1-plugins-good', 'gst-plugins-good'),
  requirement('run', 'plugin', 'flv', 'RTMP', 'gstreamer1.0-plugins-good', 'gstreamer1-plugins-good', 'gst-plugins-good'),
  requirement('run', 'plugin', 'rtspclientsink', 'publishes to RTSP servers', 'gstreamer1.0-rtsp', 'gstreamer1-rtsp-server', 'gst-rtsp-server'),
  requirement('run', 'plugin', 'rtmp2 mpegtsmux', 'RTMP, MPEG-TS', 'gstreamer1.0-plugins-bad', 'gstreamer1-plugins-bad-free', 'gst-plugins-bad'),
  requirement('run', 'plugin', 'srt', 'publishes to SRT servers', 'gstreamer1.0-plugins-bad', 'gstreamer1-plugins-bad-free-extras', 'gst-plugins-bad'),
  requirement('run', 'plugin', 'videoparsersbad', 'parses H.264', 'gstreamer1.0-plugins-bad', 'gstreamer1-plugins-bad-free', 'gst-plugins-bad'),
  requirement('run', 'plugin', 'libav', 'decodes H.264', 'gstreamer1.0-libav', 'gstreamer1-plugin-libav', 'gst-libav'),
  requirement('run', 'file', pluginPaths('gio/modules/libgiognutls.so gio/modules/libgioopenssl.so'), 'TLS', 'glib-networking', 'glib-networking', 'glib-networking'),
  requirement('run', 'command', 'Xvfb', 'the demo screen on a machine without a display', 'xvfb', 'xorg-x11-server-Xvfb', 'xorg-server-xvfb'),
  requirement('run', 'command', 'xterm', 'shows the text of the demo', 'xterm', 'xterm', 'xterm'),
  requirement('run', 'file', FONT_FILES, 'the font of the demo', 'fonts-dejavu-core', 'dejavu-sans-mono-fonts', 'ttf-dejavu'),

  requirement('test', 'plugin', 'x264', 'the encoder of the peer in benchmarks', 'gstreamer1.0-plugins-ugly', 'gstreamer1-plugins-ugly', 'gst-plugins-ugly'),
  requirement('test', 'plugin', 'ximagesrc', 'the peer in benchmarks, and a second opinion on pixels', 'gstreamer1.0-plugins-good', 'gstreamer1-plugins-good', 'gst-plugins-good'),
  requirement('test', 'plugin', 'pulseaudio', 'plays sound', 'gstreamer1.0-pulseaudio', 'gstreamer1-plugins-good', 'gst-plugins-good'),
  requirement('test', 'command', 'pipewire wireplumber pipewire-pulse', 'a sound server', 'pipewire wireplumber pipewire-pulse', 'pipewire wireplumber pipewire-pulseaudio', 'pipewire wireplumber pipewire-pulse'),
  requirement('test', 'command', 'dbus-run-session', 'the session bus that it wants', 'dbus-daemon', 'dbus-daemon', 'dbus'),
  requirement('test', 'command', 'pulseaudio', 'the other sound server', 'pulseaudio', '', ''),
  requirement('test', 'command', 'pactl', 'sets sound devices up', 'pulseaudio-utils', 'pulseaudio-utils', 'libpulse'),
  requirement('test', 'plugin', 'openh264', 'another encoder', 'gstreamer1.0-plugins-bad', 'gstreamer1-plugin-openh264', 'gst-plugins-bad'),
  requirement('test', 'command', 'script', 'a terminal of its own', 'bsdutils', 'util-linux', 'util-linux'),
  requirement('test', 'command', 'ffmpeg ffprobe', 'foreign RTSP client, checks recordings', 'ffmpeg', 'ffmpeg', 'ffmpeg'),
  requirement('test', 'command', 'cvlc', 'foreign RTSP client', 'vlc-bin', 'vlc', 'vlc'),
  requirement('test', 'file', pluginPaths('vlc/plugins/access/liblive555_plugin.so vlc/plugins/access/librtp_plugin.so'), 'its RTSP and H.264 modules', 'vlc-plugin-base', 'vlc-plugins-base', 'vlc-plugins-all'),
  requirement('test', 'command', 'mpv', 'foreign RTSP client', 'mpv', 'mpv', 'mpv'),
  requirement('test', 'file', pythonModulePaths('cv2'), 'foreign RTSP client', 'python3-opencv', 'python3-opencv', 'python-opencv'),
  requirement('test', 'file', pythonPackagePaths('aiortc'), 'foreign WebRTC peer', 'python3-aiortc', 'python3-aiortc', ''),
  requirement('test', 'command', 'gst-launch-1.0', 'foreign RTSP client', 'gstreamer1.0-tools', 'gstreamer1', 'gstreamer'),
  requirement('test', 'plugin', 'soup', 'foreign HTTP client', 'gstreamer1.0-plugins-good', 'gstreamer1-plugins-good', 'gst-plugins-good'),
  requirement('test', 'command', 'convert', 'draws pictures of known text', 'imagemagick', 'ImageMagick', 'imagemagick'),
  requirement('test', 'file', '/usr/bin/chromium /usr/bin/chromium-browser', 'watches by WebRTC', 'chromium', 'chromium', 'chromium'),
  requirement('test', 'command', 'xrandr xsetroot', 'resizes and colours a screen', 'x11-xserver-utils', 'xrandr xsetroot', 'xorg-xrandr xorg-xsetroot'),
  requirement('test', 'command', 'Xorg', 'a screen that can be resized', 'xserver-xorg-core', 'xorg-x11-server-Xorg', 'xorg-server'),
  requirement('test', 'file', pluginPaths('xorg/modules/drivers/dummy_drv.so'), 'its driver without hardware', 'xserver-xorg-video-dummy', 'xorg-x11-drv-dummy', 'xf86-video-dummy'),
  requirement('test', 'command', 'xwininfo xprop xdpyinfo', 'looks at windows', 'x11-utils', 'xwininfo xprop xdpyinfo', 'xorg-xwininfo xorg-xprop xorg-xdpyinfo'),
  requirement('test', 'command', 'xdotool', 'moves and types', 'xdotool', 'xdotool', 'xdotool'),
  requirement('test', 'command', 'twm', 'puts frames around windows', 'twm', 'xorg-x11-twm', 'xorg-twm'),
  requirement('test', 'module', 'wayland-server', 'the Wayland compositor of the tests', 'libwayland-dev', 'wayland-devel', 'wayland'),
  requirement('test', 'command', 'sway swaymsg', 'a real Wayland compositor', 'sway', 'sway', 'sway'),
  requirement('test', 'command', 'swaybg', 'shows a picture on it', 'swaybg', 'swaybg', 'swaybg'),
  requirement('test', 'command', 'dbus-daemon', 'a D-Bus session of its own', 'dbus-daemon', 'dbus-daemon', 'dbus'),
  requirement('test', 'command', 'pipewire', 'shows a screen that is shared', 'pipewire-bin', 'pipewire', 'pipewire'),
  requirement('test', 'command', 'wireplumber', 'connects what PipeWire shows', 'wireplumber', 'wireplumber', 'wireplumber'),
  requirement('test', 'file', '/usr/libexec/xdg-desktop-portal /usr/lib/xdg-desktop-portal', 'the portal that asks what to share', 'xdg-desktop-portal', 'xdg-desktop-portal', 'xdg-desktop-portal'),
  requirement('test', 'file', '/usr/libexec/xdg-desktop-portal-wlr /usr/lib/xdg-desktop-portal-wlr', 'its backend for sway', 'xdg-desktop-portal-wlr', 'xdg-desktop-portal-wlr', 'xdg-desktop-portal-wlr'),
  requirement('test', 'command', 'clang-format', 'lints the C++ code', 'clang-format', 'clang-tools-extra', 'clang'),
  requirement('test', 'command', 'systemd-analyze', 'checks the units in deploy/', 'systemd', 'systemd', 'systemd'),
  requirement('test', 'file', '/usr/sbin/tc /sbin/tc /usr/bin/tc', 'damages a network of the test\'s own', 'iproute2', 'iproute iproute-tc', 'iproute2'),
  requirement('test', 'command', 'redis-server', 'the queue between watches and workers', 'redis-server', 'redis', 'redis'),
  requirement('test', 'command', 'curl', 'foreign HTTP client', 'curl', 'curl', 'curl'),
  requirement('test', 'command', 'ps', 'sees that no process is left', 'procps', 'procps-ng', 'procps-ng'),
];

/** The places where distributions keep a plugin: Debian by architecture, Fedora in lib64, Arch in lib. */
function pluginPaths(relativePaths) {
  const folders = ['/usr/lib', '/usr/lib64', '/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu'];
  return relativePaths
    .split(' ')
    .flatMap((path) => folders.map((folder) => `${folder}/${path}`))
    .join(' ');
}

/** Debian has one folder for every version of Python, the others one for each. */
function pythonModulePaths(name) {
  const architectures = ['x86_64', 'aarch64'];
  const minorVersions = [9, 10, 11, 12, 13, 14];
  return minorVersions
    .flatMap((minor) => [
      ...architectures.map((one) => `/usr/lib/python3/dist-packages/${name}.cpython-3${minor}-${one}-linux-gnu.so`),
      `/usr/lib64/python3.${minor}/site-packages/${name}`,
      `/usr/lib/python3.${minor}/site-packages/${name}`,
    ])
    .join(' ');
}

/** The same for packages that are all Python, which are folders. */
function pythonPackagePaths(name) {
  const folders = [9, 10, 11, 12, 13, 14].map((minor) => `/usr/lib/python3.${minor}/site-packages`);
  return ['/usr/lib/python3/dist-packages', ...folders].map((folder) => `${folder}/${name}`).join(' ');
}
