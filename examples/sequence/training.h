/* SPDX-License-Identifier: MIT */
/* Training, the test behind it, and the proof of the gradient. */
#ifndef EXAMPLES_SEQUENCE_TRAINING_H
#define EXAMPLES_SEQUENCE_TRAINING_H

#include "sequence/net.h"
#include "sequence/task.h"

struct seq_curve {
    uint64_t steps; /* that were done: fewer than asked for where training ended early */
    double *loss, *norm; /* of each: mean loss of its batch, norm of the gradient */
    bool is_diverged; /* the last step's gradient is no number: no step after it could mend that */
};

/* Adam for `steps` steps, each with a batch of its own. An interrupt ends it early. The arrays are
 * freed by the caller. */
void seq_train(struct seq_net *net, const struct seq_task *task, double rate, uint64_t steps,
               struct seq_curve *curve);

struct seq_score {
    size_t sequences, wrong;
    double loss; /* mean */
};
struct seq_score seq_test(struct seq_net *net, const struct seq_task *task);

/* |gradient - reference| / |reference| over all parameters, for the first batch of training: what
 * the device makes of it against the host reference in double; and how much the norm that the
 * device finds is off besides. *allowed: what it may be. The parameters are others then. */
double seq_check(struct seq_net *net, const struct seq_task *task, double *allowed);

#endif
