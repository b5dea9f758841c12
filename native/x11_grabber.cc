#include "x11_grabber.h"

#include <libyuv.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <xcb/xinput.h>

#include <cstdlib>

namespace cap {

namespace {

// Requests for more rectangles than this cost more than reading some pixels in vain.
constexpr size_t kMostRects = 16;

template <typename T>
struct Freed {
  T* value;
  explicit Freed(T* reply) : value(reply) {}
  ~Freed() { free(value); }
  Freed(const Freed&) = delete;
  Freed& operator=(const Freed&) = delete;
  T* operator->() const { return value; }
  explicit operator bool() const { return value != nullptr; }
};
template <typename T>
Freed(T*) -> Freed<T>;

const xcb_screen_t* ScreenOf(xcb_connection_t* connection, int number) {
  auto screens = xcb_setup_roots_iterator(xcb_get_setup(connection));
  for (; screens.rem && number > 0; --number) xcb_screen_next(&screens);
  return screens.rem ? screens.data : nullptr;
}

// Whether pixels are 32 bits of B, G, R, unused in memory: what libyuv calls ARGB.
bool HasPlainPixels(xcb_connection_t* connection, const xcb_screen_t* screen) {
  const xcb_setup_t* setup = xcb_get_setup(connection);
  if (setup->image_byte_order != XCB_IMAGE_ORDER_LSB_FIRST) return false;
  bool has_depth = false;
  for (auto it = xcb_setup_pixmap_formats_iterator(setup); it.rem; xcb_format_next(&it)) {
    has_depth |= it.data->depth == screen->root_depth && it.data->bits_per_pixel == 32;
  }
  for (auto depth = xcb_screen_allowed_depths_iterator(screen); depth.rem; xcb_depth_next(&depth)) {
    for (auto it = xcb_depth_visuals_iterator(depth.data); it.rem; xcb_visualtype_next(&it)) {
      if (it.data->visual_id == screen->root_visual) return has_depth && it.data->red_mask == 0xff0000;
    }
  }
  return false;
}

}  // namespace

std::unique_ptr<X11Grabber> X11Grabber::Open(const Options& options, std::string& reason) {
  std::unique_ptr<X11Grabber> grabber(new X11Grabber());
  return grabber->Init(options, reason) ? std::move(grabber) : nullptr;
}

X11Grabber::~X11Grabber() {
  FreeSegment();
  if (connection_) xcb_disconnect(connection_);
}

bool X11Grabber::Init(const Options& options, std::string& reason) {
  int number = 0;
  connection_ = xcb_connect(options.display.empty() ? nullptr : options.display.c_str(), &number);
  const xcb_screen_t* screen = xcb_connection_has_error(connection_) ? nullptr : ScreenOf(connection_, number);
  if (!screen) {
    reason = "cannot open X display " + options.display;
    return false;
  }
  root_ = screen->root;
  screen_ = {0, 0, screen->width_in_pixels, screen->height_in_pixels};
  follows_screen_ = options.area.empty();
  area_ = follows_screen_ ? screen_ : options.area;
  if (Intersect(area_, screen_).area() != area_.area()) {
    reason = "the region is not inside the screen";
    return false;
  }
  if (!HasPlainPixels(connection_, screen)) {
    reason = "the screen's pixels are not 8-bit RGB in 32 bits";
    return false;
  }
  cursor_.wanted = options.cursor;
  if (!InitExtensions(reason)) return false;
  if (!AllocateSegment()) {
    reason = "the X server does not share memory with this process";
    return false;
  }
  SelectEvents();
  DamageAll();
  return true;
}

bool X11Grabber::InitExtensions(std::string& reason) {
  for (auto* extension : {&xcb_damage_id, &xcb_xfixes_id, &xcb_shm_id}) {
    const auto* data = xcb_get_extension_data(connection_, extension);
    if (!data || !data->present) {
      reason = "the X server lacks DAMAGE, XFIXES or MIT-SHM";
      return false;
    }
  }
  damage_event_ = xcb_get_extension_data(connection_, &xcb_damage_id)->first_event;
  fixes_event_ = xcb_get_extension_data(connection_, &xcb_xfixes_id)->first_event;
  Freed fixes(xcb_xfixes_query_version_reply(connection_, xcb_xfixes_query_version(connection_, 5, 0), nullptr));
  Freed damage(xcb_damage_query_version_reply(connection_, xcb_damage_query_version(connection_, 1, 1), nullptr));
  if (!fixes || fixes->major_version < 2 || !damage) {
    reason = "the X server's XFIXES or DAMAGE is too old";
    return false;
  }
  const auto* input = xcb_get_extension_data(connection_, &xcb_input_id);
  if (input && input->present) {
    Freed version(
        xcb_input_xi_query_version_reply(connection_, xcb_input_xi_query_version(connection_, 2, 2), nullptr));
    if (version) input_opcode_ = input->major_opcode;
  }
  return true;
}

void X11Grabber::SelectEvents() {
  const uint32_t structure = XCB_EVENT_MASK_STRUCTURE_NOTIFY;
  xcb_change_window_attributes(connection_, root_, XCB_CW_EVENT_MASK, &structure);
  damage_ = xcb_generate_id(connection_);
  // Non-empty: one event, however much is drawn before it is collected.
  xcb_damage_create(connection_, damage_, root_, XCB_DAMAGE_REPORT_LEVEL_NON_EMPTY);
  region_ = xcb_generate_id(connection_);
  xcb_xfixes_create_region(connection_, region_, 0, nullptr);
  if (cursor_.wanted) {
    xcb_xfixes_select_cursor_input(connection_, root_, XCB_XFIXES_CURSOR_NOTIFY_MASK_DISPLAY_CURSOR);
    if (input_opcode_) {
      struct {
        xcb_input_event_mask_t head{XCB_INPUT_DEVICE_ALL_MASTER, 1};
        uint32_t mask = XCB_INPUT_XI_EVENT_MASK_RAW_MOTION;
      } motion;
      xcb_input_xi_select_events(connection_, root_, 1, &motion.head);
    }
  }
  xcb_flush(connection_);
}

bool X11Grabber::AllocateSegment() {
  FreeSegment();
  // Twice the picture: aligned neighbours may overlap a little.
  const size_t size = static_cast<size_t>(area_.width + 2) * static_cast<size_t>(area_.height + 2) * 4 * 2;
  const int id = shmget(IPC_PRIVATE, size, IPC_CREAT | 0600);
  if (id < 0) return false;
  void* address = shmat(id, nullptr, 0);
  segment_ = xcb_generate_id(connection_);
  xcb_generic_error_t* error =
      xcb_request_check(connection_, xcb_shm_attach_checked(connection_, segment_, static_cast<uint32_t>(id), 0));
  // Marked for removal at once: it goes with the last of us, also after a crash.
  shmctl(id, IPC_RMID, nullptr);
  if (address == reinterpret_cast<void*>(-1) || error) {
    free(error);
    if (address != reinterpret_cast<void*>(-1)) shmdt(address);
    segment_ = 0;
    return false;
  }
  shared_ = static_cast<uint8_t*>(address);
  shared_size_ = size;
  return true;
}

void X11Grabber::FreeSegment() {
  if (!shared_) return;
  xcb_shm_detach(connection_, segment_);
  xcb_flush(connection_);
  shmdt(shared_);
  shared_ = nullptr;
}

X11Grabber::News X11Grabber::Poll() {
  News news;
  while (xcb_generic_event_t* event = xcb_poll_for_event(connection_)) {
    const uint8_t type = event->response_type & 0x7f;
    if (type == damage_event_ + XCB_DAMAGE_NOTIFY) {
      news.damaged = true;
    } else if (type == fixes_event_ + XCB_XFIXES_CURSOR_NOTIFY) {
      cursor_.moved = news.damaged = true;
    } else if (type == XCB_GE_GENERIC && input_opcode_ &&
               reinterpret_cast<xcb_ge_generic_event_t*>(event)->extension == input_opcode_) {
      cursor_.moved = news.damaged = true;
    } else if (type == XCB_CONFIGURE_NOTIFY) {
      auto* configure = reinterpret_cast<xcb_configure_notify_event_t*>(event);
      if (configure->window == root_ && (configure->width != screen_.width || configure->height != screen_.height)) {
        screen_ = {0, 0, configure->width, configure->height};
        news.resized = true;
      }
    }
    free(event);
  }
  if (news.resized && follows_screen_) {
    area_ = screen_;
    if (!AllocateSegment()) news.lost = true;
    DamageAll();
  }
  if (xcb_connection_has_error(connection_)) news.lost = true;
  return news;
}

bool X11Grabber::PointerMoved() {
  if (!cursor_.wanted) return false;
  Freed pointer(xcb_query_pointer_reply(connection_, xcb_query_pointer(connection_, root_), nullptr));
  if (pointer && (pointer->root_x != cursor_.x || pointer->root_y != cursor_.y)) cursor_.moved = true;
  return cursor_.moved;
}

void X11Grabber::DamageAll() {
  pending_ = {area_};
  cursor_.moved = true;
}

void X11Grabber::Collect() {
  xcb_damage_subtract(connection_, damage_, XCB_NONE, region_);
  Freed region(xcb_xfixes_fetch_region_reply(connection_, xcb_xfixes_fetch_region(connection_, region_), nullptr));
  if (region) {
    const xcb_rectangle_t* rects = xcb_xfixes_fetch_region_rectangles(region.value);
    const int count = xcb_xfixes_fetch_region_rectangles_length(region.value);
    for (int i = 0; i < count; ++i) {
      const Rect rect = Intersect({rects[i].x, rects[i].y, rects[i].width, rects[i].height}, area_);
      if (!rect.empty()) pending_.push_back(rect);
    }
  }
  if (cursor_.wanted && cursor_.moved) CollectCursor();
}

// Where the cursor was and where it is have changed, if either is in the picture.
void X11Grabber::CollectCursor() {
  cursor_.moved = false;
  Freed image(xcb_xfixes_get_cursor_image_reply(connection_, xcb_xfixes_get_cursor_image(connection_), nullptr));
  if (!image) return;
  cursor_.x = image->x;
  cursor_.y = image->y;
  const Rect now{image->x - image->xhot, image->y - image->yhot, image->width, image->height};
  const uint32_t* pixels = xcb_xfixes_get_cursor_image_cursor_image(image.value);
  std::vector<uint32_t> fresh(pixels, pixels + xcb_xfixes_get_cursor_image_cursor_image_length(image.value));
  const Rect& was = cursor_.rect;
  const bool same =
      now.x == was.x && now.y == was.y && now.width == was.width && now.height == was.height && fresh == cursor_.pixels;
  if (same) return;
  for (const Rect& rect : {Intersect(was, area_), Intersect(now, area_)}) {
    if (!rect.empty()) pending_.push_back(rect);
  }
  cursor_.rect = now;
  cursor_.pixels = std::move(fresh);
}

bool X11Grabber::Grab(const I420& picture, Rects& changed) {
  changed.clear();
  if (picture.width != area_.width || picture.height != area_.height) return false;
  for (Rect& rect : pending_) {
    rect.x -= area_.x;
    rect.y -= area_.y;
  }
  Rects rects = Simplify(std::move(pending_), kMostRects);
  pending_.clear();
  const Rect whole{0, 0, area_.width, area_.height};
  Rects aligned;
  size_t bytes = 0;
  for (const Rect& rect : rects) {
    aligned.push_back(EvenOut(rect, whole));
    bytes += static_cast<size_t>(aligned.back().area()) * 4;
  }
  if (bytes > shared_size_) aligned = rects = {whole};
  if (!Read(aligned, picture)) {
    pending_ = {area_};
    return false;
  }
  changed = std::move(rects);
  return true;
}

// All requests go out before the first reply is waited for: one round trip.
bool X11Grabber::Read(const Rects& rects, const I420& picture) {
  std::vector<xcb_shm_get_image_cookie_t> cookies;
  uint32_t offset = 0;
  for (const Rect& rect : rects) {
    cookies.push_back(xcb_shm_get_image(connection_, root_, static_cast<int16_t>(area_.x + rect.x),
                                        static_cast<int16_t>(area_.y + rect.y), static_cast<uint16_t>(rect.width),
                                        static_cast<uint16_t>(rect.height), ~0u, XCB_IMAGE_FORMAT_Z_PIXMAP, segment_,
                                        offset));
    offset += static_cast<uint32_t>(rect.area()) * 4;
  }
  bool complete = true;
  offset = 0;
  for (size_t i = 0; i < rects.size(); ++i) {
    const Rect& rect = rects[i];
    Freed reply(xcb_shm_get_image_reply(connection_, cookies[i], nullptr));
    uint8_t* pixels = shared_ + offset;
    offset += static_cast<uint32_t>(rect.area()) * 4;
    if (!reply) {
      complete = false;
      continue;
    }
    if (cursor_.wanted) DrawCursor(pixels, {area_.x + rect.x, area_.y + rect.y, rect.width, rect.height});
    const I420 part = picture.Crop(rect);
    libyuv::ARGBToI420(pixels, rect.width * 4, part.planes[0], part.strides[0], part.planes[1], part.strides[1],
                       part.planes[2], part.strides[2], rect.width, rect.height);
  }
  return complete;
}

// Blends the cursor, whose colours are premultiplied, into the pixels of a rectangle of the screen.
void X11Grabber::DrawCursor(uint8_t* pixels, const Rect& rect) const {
  const Rect both = Intersect(rect, cursor_.rect);
  for (int y = both.y; y < both.bottom(); ++y) {
    const size_t row = static_cast<size_t>(y - cursor_.rect.y) * static_cast<size_t>(cursor_.rect.width);
    const uint32_t* from = &cursor_.pixels[row + static_cast<size_t>(both.x - cursor_.rect.x)];
    uint8_t* to = pixels + (static_cast<ptrdiff_t>(y - rect.y) * rect.width + (both.x - rect.x)) * 4;
    for (int x = 0; x < both.width; ++x, to += 4) {
      const uint32_t keep = 255 - (from[x] >> 24);
      for (int channel = 0; channel < 3; ++channel) {
        const uint32_t over = (from[x] >> (8 * channel)) & 0xff;
        to[channel] = static_cast<uint8_t>(std::min(255u, over + (to[channel] * keep + 127) / 255));
      }
    }
  }
}

}  // namespace cap
