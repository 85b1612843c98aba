#pragma once

#include <string>
#include <string_view>

#include "limber/serving/http/handler.h"

namespace limber::http {

/// Serves `content`, which must outlive the server (see cmake/embed.cmake), with an ETag: a client
/// that has it already is answered 304. Browsers ask again each time, so that a new version of the
/// program shows its own page, are told to take the content type at its word, and, when
/// `content_security_policy` is given, to load nothing that it does not allow.
Handler static_page(std::string_view content, std::string content_type,
                    std::string content_security_policy = "");

}  // namespace limber::http
