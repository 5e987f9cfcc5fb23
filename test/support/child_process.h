#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <functional>

namespace strand::test {

/// fork(), once this process has no thread but this one. A child keeps every lock for good that another thread had at
/// that moment, and a sanitizer's allocator has some that nobody gives back.
/// @throws std::runtime_error where another thread is still there after a minute: fork before it is started
pid_t forkAlone();

/// How a forked child ended that did `what`: its exit code, 0 where it returned, or 1000 and the signal. The child runs
/// no destructors of this process's objects; GoogleTest's assertions in it are not heard.
int endOfChild(const std::function<void()>& what);

/// How `process` ended, in the same numbers. Waits for it.
int endOf(pid_t process);

/// In a child: whether it is now somebody whom permissions bind.
bool becomeNobody();

/// A process that is forked now, while this one has no threads, and does `what` once for each time that it is told to.
class Child {
 public:
  /// @param what is called in it with how often it was before; may end the process
  explicit Child(const std::function<void(std::uint64_t)>& what);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  void go() const;
  /// Lets it do it once more. @return false where it ended instead
  [[nodiscard]] bool does() const;
  /// Waits until it has done what it was told. @return how it ended, as endOfChild() says
  int end();

 private:
  std::array<int, 2> orders_{};
  std::array<int, 2> answers_{};
  pid_t process_ = -1;
};

}  // namespace strand::test
