#include "support/child_process.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <iterator>
#include <stdexcept>
#include <thread>
#include <utility>

#include "support/sanitized.h"

namespace strand::test {
namespace {

/// The thread sanitizer has one of its own.
constexpr std::ptrdiff_t kThreadsAlone = kThreadSanitized ? 2 : 1;

std::ptrdiff_t threads() {
#if defined(__linux__)
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
#else
  return kThreadsAlone;
#endif
}

std::array<int, 2> makePipe() {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) throw std::runtime_error("no pipe");
  return ends;
}

}  // namespace

pid_t forkAlone() {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (threads() > kThreadsAlone) {
    if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("this process has threads; fork before");
    std::this_thread::yield();
  }
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("no process");
  return child;
}

int endOf(pid_t process) {
  int status = 0;
  EXPECT_EQ(waitpid(process, &status, 0), process);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

int endOfChild(const std::function<void()>& what) {
  const pid_t child = forkAlone();
  if (child == 0) {
    what();
    _exit(0);
  }
  return endOf(child);
}

bool becomeNobody() {
  constexpr uid_t kNobody = 65534;
  return geteuid() != 0 || (setgid(kNobody) == 0 && setuid(kNobody) == 0);
}

Child::Child(const std::function<void(std::uint64_t)>& what)
    : orders_(makePipe()), answers_(makePipe()), process_(forkAlone()) {
  if (process_ != 0) {
    // The orders' other end stays open: an order to a child that has died must not kill this process.
    close(answers_[1]);
    return;
  }
  close(orders_[1]);
  close(answers_[0]);
  char byte = 0;
  for (std::uint64_t i = 0; read(orders_[0], &byte, 1) == 1; ++i) {
    what(i);
    if (write(answers_[1], &byte, 1) != 1) _exit(1);
  }
  _exit(0);
}

Child::~Child() {
  if (process_ < 0) return;
  EXPECT_EQ(end(), 0);
}

void Child::go() const { ASSERT_EQ(write(orders_[1], "x", 1), 1); }

bool Child::does() const {
  go();
  char byte = 0;
  return read(answers_[0], &byte, 1) == 1;
}

int Child::end() {
  close(orders_[1]);
  const int status = endOf(std::exchange(process_, -1));
  close(orders_[0]);
  close(answers_[0]);
  return status;
}

}  // namespace strand::test
