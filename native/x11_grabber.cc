#include "x11_grabber.h"

#include <libyuv.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#include "x11_open.h"
#include "xcb_reply.h"

namespace cap {

namespace {

// Requests for more rectangles than this cost more than reading some pixels in vain.
constexpr size_t kMostRects = 16;

const xcb_screen_t* ScreenOf(xcb_connection_t* connection, int number) {
  auto screens = xcb_setup_roots_iterator(xcb_get_setup(connection));
  for (; screens.rem && number > 0; --number) xcb_screen_next(&screens);
  return screens.rem ? screens.data : nullptr;
}

}  // namespace

std::unique_ptr<X11Grabber> X11Grabber::Open(const Options& options, std::string& reason) {
  std::unique_ptr<X11Grabber> grabber(new X11Grabber());
  return grabber->Init(options, reason) ? std::move(grabber) : nullptr;
}

X11Grabber::~X11Grabber() {
  FreeSegment();
  target_.reset();
  if (connection_) xcb_disconnect(connection_);
}

bool X11Grabber::Init(const Options& options, std::string& reason) {
  int number = 0;
  connection_ = OpenX11(
      [&] {
        if (connection_) xcb_disconnect(connection_);
        connection_ = xcb_connect(options.display.empty() ? nullptr : options.display.c_str(), &number);
        return connection_;
      },
      [](xcb_connection_t* connection) { return !xcb_connection_has_error(connection); });
  const xcb_screen_t* screen = xcb_connection_has_error(connection_) ? nullptr : ScreenOf(connection_, number);
  if (!screen) {
    reason = "cannot open X display " + options.display;
    return false;
  }
  InitExtensions();
  target_ = std::make_unique<X11Target>();
  const bool opened = options.window ? target_->OpenWindow(connection_, screen, options.window, reason)
                                     : target_->OpenScreen(connection_, screen, options.area, reason);
  if (!opened) return false;
  // A server on another machine has the extension, and does not get at our memory.
  shares_memory_ = shares_memory_ && AllocateSegment();
  SelectEvents(screen->root, options.cursor);
  DamageAll();
  return true;
}

void X11Grabber::InitExtensions() {
  const auto has = [&](xcb_extension_t& extension) {
    const auto* data = xcb_get_extension_data(connection_, &extension);
    return data && data->present;
  };
  if (has(xcb_xfixes_id)) {
    Freed fixes(xcb_xfixes_query_version_reply(connection_, xcb_xfixes_query_version(connection_, 5, 0), nullptr));
    has_cursor_ = fixes && fixes->major_version >= 2;
  }
  if (has_cursor_ && has(xcb_damage_id)) {
    damage_event_ = xcb_get_extension_data(connection_, &xcb_damage_id)->first_event;
    Freed damage(xcb_damage_query_version_reply(connection_, xcb_damage_query_version(connection_, 1, 1), nullptr));
    tells_damage_ = static_cast<bool>(damage);
  }
  shares_memory_ = has(xcb_shm_id);
}

std::string X11Grabber::lacks() const {
  std::string all;
  const auto add = [&](const char* text) { all += (all.empty() ? "" : "; ") + std::string(text); };
  if (!has_cursor_) add("without XFIXES the cursor is not in the picture");
  if (!tells_damage_) add("without DAMAGE every frame is captured whole, which costs more");
  if (!shares_memory_) add("without shared memory the X server sends each picture, which costs more");
  if (target_->can_be_covered()) add("without Composite what covers the window is in the picture");
  return all;
}

void X11Grabber::SelectEvents(xcb_window_t root, bool cursor) {
  const uint32_t structure = XCB_EVENT_MASK_STRUCTURE_NOTIFY;
  xcb_change_window_attributes(connection_, target_->window(), XCB_CW_EVENT_MASK, &structure);
  if (tells_damage_) {
    damage_ = xcb_generate_id(connection_);
    // Non-empty: one event, however much is drawn before it is collected.
    xcb_damage_create(connection_, damage_, target_->window(), XCB_DAMAGE_REPORT_LEVEL_NON_EMPTY);
    region_ = xcb_generate_id(connection_);
    xcb_xfixes_create_region(connection_, region_, 0, nullptr);
  }
  if (cursor && has_cursor_) cursor_.Select(connection_, root);
  xcb_flush(connection_);
}

bool X11Grabber::AllocateSegment() {
  FreeSegment();
  // Twice the picture: aligned neighbours may overlap a little.
  const size_t size = static_cast<size_t>(width() + 2) * static_cast<size_t>(height() + 2) * 4 * 2;
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
    if ((tells_damage_ && type == damage_event_ + XCB_DAMAGE_NOTIFY) || cursor_.Takes(event)) {
      news.damaged = true;
    } else if (type == XCB_CONFIGURE_NOTIFY) {
      auto* configure = reinterpret_cast<xcb_configure_notify_event_t*>(event);
      if (target_->Resize(configure->width, configure->height)) news.resized = true;
    } else if (type == XCB_MAP_NOTIFY) {
      target_->Remap();
      DamageAll();
      news.damaged = true;
    }
    free(event);
  }
  if (news.resized) {
    if (shares_memory_ && !AllocateSegment()) news.lost = true;
    DamageAll();
  }
  if (xcb_connection_has_error(connection_)) news.lost = true;
  return news;
}

void X11Grabber::DamageAll() {
  pending_ = {whole()};
  cursor_.MarkMoved();
}

void X11Grabber::Collect() {
  if (!tells_damage_) return DamageAll();
  xcb_damage_subtract(connection_, damage_, XCB_NONE, region_);
  Freed region(xcb_xfixes_fetch_region_reply(connection_, xcb_xfixes_fetch_region(connection_, region_), nullptr));
  if (region) {
    const xcb_rectangle_t* rects = xcb_xfixes_fetch_region_rectangles(region.value);
    const int count = xcb_xfixes_fetch_region_rectangles_length(region.value);
    for (int i = 0; i < count; ++i) {
      const Rect damaged = target_->InDamage({rects[i].x, rects[i].y, rects[i].width, rects[i].height});
      const Rect rect = Intersect(damaged, whole());
      if (!rect.empty()) pending_.push_back(rect);
    }
  }
  if (cursor_.Pending()) cursor_.Update(target_->ScreenOrigin(), pending_);
}

bool X11Grabber::Grab(const I420& picture, Rects& changed) {
  changed.clear();
  if (picture.width != width() || picture.height != height()) return false;
  Rects rects = Simplify(std::move(pending_), kMostRects);
  pending_.clear();
  Rects aligned;
  size_t bytes = 0;
  for (const Rect& rect : rects) {
    aligned.push_back(EvenOut(rect, whole()));
    bytes += static_cast<size_t>(aligned.back().area()) * 4;
  }
  if (shares_memory_ && bytes > shared_size_) aligned = rects = {whole()};
  if (!Read(aligned, picture)) {
    pending_ = {whole()};
    return false;
  }
  changed = std::move(rects);
  return true;
}

// All requests go out before the first reply is waited for: one round trip.
bool X11Grabber::Read(const Rects& rects, const I420& picture) {
  return shares_memory_ ? ReadShared(rects, picture) : ReadSent(rects, picture);
}

bool X11Grabber::ReadShared(const Rects& rects, const I420& picture) {
  std::vector<xcb_shm_get_image_cookie_t> cookies;
  uint32_t offset = 0;
  for (const Rect& rect : rects) {
    cookies.push_back(xcb_shm_get_image(connection_, target_->drawable(), static_cast<int16_t>(target_->read_x(rect.x)),
                                        static_cast<int16_t>(target_->read_y(rect.y)),
                                        static_cast<uint16_t>(rect.width), static_cast<uint16_t>(rect.height), ~0u,
                                        XCB_IMAGE_FORMAT_Z_PIXMAP, segment_, offset));
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
    } else if (target_->pixels().plain()) {
      Convert(pixels, rect, picture);
    } else {
      argb_.resize(static_cast<size_t>(rect.area()) * 4);
      target_->pixels().ToArgb(pixels, rect.width, rect.height, argb_.data());
      Convert(argb_.data(), rect, picture);
    }
  }
  return complete;
}

bool X11Grabber::ReadSent(const Rects& rects, const I420& picture) {
  std::vector<xcb_get_image_cookie_t> cookies;
  for (const Rect& rect : rects) {
    cookies.push_back(xcb_get_image(connection_, XCB_IMAGE_FORMAT_Z_PIXMAP, target_->drawable(),
                                    static_cast<int16_t>(target_->read_x(rect.x)),
                                    static_cast<int16_t>(target_->read_y(rect.y)), static_cast<uint16_t>(rect.width),
                                    static_cast<uint16_t>(rect.height), ~0u));
  }
  bool complete = true;
  for (size_t i = 0; i < rects.size(); ++i) {
    const Rect& rect = rects[i];
    Freed reply(xcb_get_image_reply(connection_, cookies[i], nullptr));
    if (!reply || xcb_get_image_data_length(reply.value) < target_->pixels().stride(rect.width) * rect.height) {
      complete = false;
      continue;
    }
    argb_.resize(static_cast<size_t>(rect.area()) * 4);
    target_->pixels().ToArgb(xcb_get_image_data(reply.value), rect.width, rect.height, argb_.data());
    Convert(argb_.data(), rect, picture);
  }
  return complete;
}

// Draws the cursor into the rectangle's pixels, and makes its part of the picture of them.
void X11Grabber::Convert(uint8_t* argb, const Rect& rect, const I420& picture) {
  cursor_.Draw(argb, rect);
  const I420 part = picture.Crop(rect);
  libyuv::ARGBToI420(argb, rect.width * 4, part.planes[0], part.strides[0], part.planes[1], part.strides[1],
                     part.planes[2], part.strides[2], rect.width, rect.height);
}

}  // namespace cap
