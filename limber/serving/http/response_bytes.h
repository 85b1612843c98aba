#pragma once

#include <string>

#include "limber/serving/http/response.h"

namespace limber::http {

/// Replaces `head` by the response's status line and headers, up to the empty line; its capacity is
/// reused, so that a connection's second response allocates nothing.
void write_head(const Response& response, bool keep_alive, std::string& head);

}  // namespace limber::http
