/* SPDX-License-Identifier: MIT */
/* tasker-worker: the worker with handlers from shared objects only. */
#include "worker/abi/tasker_worker.h"

int main(int argc, char **argv)
{
        return tkw_worker_run(argc, argv, NULL);
}
