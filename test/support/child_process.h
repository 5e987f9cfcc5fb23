#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

namespace strand::test {

/// How a forked child ended that did `what`: its exit code, 0 where it returned, or 1000 and the signal. The child runs
/// no destructors of this process's objects; GoogleTest's assertions in it are not heard.
inline int endOfChild(const std::function<void()>& what) {
  const pid_t child = fork();
  if (child == 0) {
    what();
    _exit(0);
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/// In a child: whether it is now somebody whom permissions bind.
inline bool becomeNobody() {
  constexpr uid_t kNobody = 65534;
  return geteuid() != 0 || (setgid(kNobody) == 0 && setuid(kNobody) == 0);
}

}  // namespace strand::test
