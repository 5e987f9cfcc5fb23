#pragma once

#include <sys/resource.h>

#include <csignal>
#include <cstdint>

namespace strand::test {

/// While it lives the system refuses to make files of this process larger, as a full disk does.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(std::uint64_t bytes) {
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    // Otherwise the refusal comes with a signal that ends the process.
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGXFSZ, &ignore, &handler_);
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    sigaction(SIGXFSZ, &handler_, nullptr);
  }

 private:
  rlimit before_{};
  struct sigaction handler_ {};
};

}  // namespace strand::test
