#pragma once

namespace strand::test {

#if defined(__has_feature)
#define STRAND_TEST_FEATURE(feature) __has_feature(feature)
#else
#define STRAND_TEST_FEATURE(feature) 0
#endif

/// Whether ThreadSanitizer is watching.
#if defined(__SANITIZE_THREAD__) || STRAND_TEST_FEATURE(thread_sanitizer)
inline constexpr bool kThreadSanitized = true;
#else
inline constexpr bool kThreadSanitized = false;
#endif

/// Whether AddressSanitizer or ThreadSanitizer is watching.
#if defined(__SANITIZE_ADDRESS__) || STRAND_TEST_FEATURE(address_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = kThreadSanitized;
#endif

#undef STRAND_TEST_FEATURE

}  // namespace strand::test
