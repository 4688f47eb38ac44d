/*
 * test_sanitized.h - IS_SANITIZED is defined in builds with a sanitizer, whose memory is no measure.
 */
#ifndef SL_TEST_SANITIZED_H
#define SL_TEST_SANITIZED_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#endif

#endif
