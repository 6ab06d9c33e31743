/* SPDX-License-Identifier: MIT */
/* A mutex that needs no constructor: C11's <threads.h> is missing on macOS. */
#ifndef CLNORM_BASE_LOCK_H
#define CLNORM_BASE_LOCK_H

#ifdef _WIN32
#include <windows.h>
typedef SRWLOCK clnorm_lock;
#define CLNORM_LOCK_INIT SRWLOCK_INIT
static inline void lock_take(clnorm_lock *lock) { AcquireSRWLockExclusive(lock); }
static inline void lock_give(clnorm_lock *lock) { ReleaseSRWLockExclusive(lock); }
#else
#include <pthread.h>
typedef pthread_mutex_t clnorm_lock;
#define CLNORM_LOCK_INIT PTHREAD_MUTEX_INITIALIZER
static inline void lock_take(clnorm_lock *lock) { pthread_mutex_lock(lock); }
static inline void lock_give(clnorm_lock *lock) { pthread_mutex_unlock(lock); }
#endif

#endif
