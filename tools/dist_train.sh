#!/usr/bin/env bash
# tools/dist_train.sh CONFIG GPUS [ARGS of tools/train.py]; NNODES, NODE_RANK, PORT and MASTER_ADDR as in mmengine
set -e
config=$1 gpus=$2
torchrun --nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}" --nproc_per_node="$gpus" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}" \
    "$(dirname "$0")/train.py" "$config" --launcher pytorch "${@:3}"
