// capredact: what follows it sees no pixel that is masked (`redaction`).
#pragma once

#include <gst/gst.h>

#include <memory>

#include "redaction.h"

namespace cap {

void RegisterRedactElement();

// Null when that is another element.
std::shared_ptr<Redaction> RedactionOf(GstElement* element);

}  // namespace cap
