#!/usr/bin/env bash
# What only a machine with an NVIDIA GPU can show, without Node: CMake, a C++ compiler and nvcc are enough.
#
#   test/gpu/run.sh [kernels] [build] [tests] [speed]     all of them when none is named
#
#   kernels  our CUDA kernels alone: comparison with the host, the same under the memory and race checkers, the bench
#   build    llama.cpp's source with CUDA, the engine, its tests and hotpath-bench; continues where it was cut off
#   tests    the C++ tests, those of the GPU on CUDA
#   speed    hotpath-bench for each model in MODELS (default: the starter model), nothing and everything on the GPU;
#            then, for each case in CASES, a model larger than the memory of the GPU that may be used, beside llama.cpp in
#            the fastest of the ways it offers (hotpath-sparse-bench --vram): tables in capped.txt, JSON in capped-NAME.json
#
# Results are files in OUT (default build/gpu/results), summary.txt first. Environment:
#   LLAMA   llama.cpp's source: a folder, a .bundle or a .tar.gz (default: the one file of these kinds in build/gpu)
#   MODELS  GGUF files, by spaces
#   CASES   names of the lines of CASE_TABLE to run, by spaces (default: all); each takes minutes and some of 30 GB on the disk
#   CASE_TABLE  lines of "name | options of hotpath-synth | GPU memory", to try others
#   LIMIT   seconds one step may take (default 540)
#   CUDA    OFF tries the script on a machine without a GPU: llama.cpp is built without CUDA
#
# Where the source must travel with the checkout: build/ is not tracked, so put it there and take build/gpu along. Of the
# source `node native/build.mjs` has fetched, 6 MB:
#   mkdir -p build/gpu && git -C LLAMA.CPP archive --prefix=llama.cpp/ -o "$PWD/build/gpu/llama.cpp.tar.gz" HEAD \
#     CMakeLists.txt LICENSE cmake ggml include src vendor
# or the 35 MB bundle of the npm package in native/llama.lock.json (package/llama/gitRelease.bundle), which needs git.
set -uo pipefail
cd "$(dirname "$0")/../.."

work=build/gpu
OUT=${OUT:-$work/results}
LIMIT=${LIMIT:-540}
CUDA=${CUDA:-ON}
CASE_TABLE=${CASE_TABLE:-$(cat <<'END'
7b-8gb | --preset 7b --arch llama-relu --type f16 --active 0.11 | 8GB
7b-12gb | --preset 7b --arch llama-relu --type f16 --active 0.11 | 12GB
13b-24gb | --preset 13b --arch llama-relu --type f16 --active 0.11 | 24GB
70b-24gb-a-quarter | --preset 70b --layers 20 --vocab 8192 --arch llama-relu --type q4_0 --active 0.11 | 6GB
30b-a3b-8gb | --preset 30b-a3b --arch moe --type q4_0 | 8GB
END
)}
jobs=$(nproc)
mkdir -p "$work" "$OUT"
: > "$OUT/summary.txt"
failed=0

note() { echo "$*" | tee -a "$OUT/summary.txt"; }

# step NAME LOG COMMAND...: runs within the limit, its output goes to LOG and its outcome to the summary.
step() {
  local name=$1 file=$2 began=$SECONDS
  shift 2
  timeout --kill-after=10 "$LIMIT" "$@" >> "$OUT/$file" 2>&1
  local status=$?
  case $status in
    0) note "ok       $name ($((SECONDS - began)) s)" ;;
    77) note "skipped  $name: $(tail -n 1 "$OUT/$file")" ;;
    124 | 137) note "TIMEOUT  $name: $LIMIT s, see $file" ;;
    *) note "FAILED   $name: status $status, see $file" ;;
  esac
  [ $status = 0 ] || [ $status = 77 ] || failed=1
  return $status
}

machine() {
  { uname -srm; grep -m 1 'model name' /proc/cpuinfo; nproc; free -g; nvcc --version | tail -n 2; nvidia-smi; } > "$OUT/machine.txt" 2>&1
}

kernels() {
  local folder=$work/kernels architectures=native
  [ "$CUDA" = ON ] || architectures=90
  step "configure the kernels" kernels.log cmake -S cuda -B $folder -DHOTPATH_CUDA_ARCHITECTURES=$architectures || return
  step "compile the kernels" kernels.log \
    cmake --build $folder -j "$jobs" --target hotpath-cuda hotpath-cuda-test hotpath-cuda-bench || return
  step "kernels against the host" kernels.log $folder/hotpath-cuda-test || return
  for tool in memcheck racecheck initcheck; do
    step "kernels under $tool" sanitizer.log compute-sanitizer --tool $tool --error-exitcode 9 $folder/hotpath-cuda-test
  done
  step "kernel bench" bench.txt $folder/hotpath-cuda-bench
}

# Prints the folder of llama.cpp's source, unpacked once.
source_of_llama() {
  local from=${LLAMA:-$(ls -d $work/*.bundle $work/*.tar.gz 2>/dev/null | head -n 1)}
  if [ -d "$from" ]; then
    echo "$from"
  elif [ ! -e "$from" ]; then
    echo "no source of llama.cpp: set LLAMA, see the head of test/gpu/run.sh" >&2
    return 1
  else
    local to=$work/llama.cpp
    if [ ! -e $to/CMakeLists.txt ]; then
      rm -rf $to.part && mkdir -p $to.part
      case $from in
        *.bundle) git clone --quiet "$from" $to.part ;;
        *) tar -xzf "$from" --strip-components=1 -C $to.part ;;
      esac >&2 || return 1
      rm -rf $to && mv $to.part $to
    fi
    echo $to
  fi
}

build() {
  local llama
  llama=$(source_of_llama 2>> "$OUT/build.log") || { note "FAILED   unpack llama.cpp: $(tail -n 1 "$OUT/build.log")"; failed=1; return; }
  step "configure the engine" build.log cmake -S native -B $work/engine -DHOTPATH_LLAMA=source \
    -DHOTPATH_LLAMA_SOURCE_DIR="$llama" -DGGML_CUDA=$CUDA -DGGML_CPU_ALL_VARIANTS=ON -DCMAKE_CUDA_ARCHITECTURES=native \
    -DHOTPATH_CUDA=$CUDA -DHOTPATH_CUDA_ARCHITECTURES=native || return
  step "compile the engine" build.log cmake --build $work/engine -j "$jobs" --target hotpath-tests hotpath-bench \
    hotpath-sparse-bench hotpath-synth
}

tests() {
  step "the C++ tests" tests.log $work/engine/bin/hotpath-tests || return
  # What this script is for must not have been left out.
  if [ "$CUDA" = ON ] && grep -Eq '^skipped .*(cuda|_on_the_gpu)' "$OUT/tests.log"; then
    note "FAILED   tests that need the GPU were skipped, see tests.log"; failed=1
  fi
}

speed() {
  for model in ${MODELS:-media/starter/starter-nano-q8_0.gguf}; do
    for layers in 0 -1; do
      echo "$model, gpu layers $layers" >> "$OUT/speed.txt"
      step "speed of $(basename "$model"), gpu layers $layers" speed.txt $work/engine/bin/hotpath-bench "$model" --gpu-layers $layers
    done
  done
  local name synth vram
  while IFS='|' read -r name synth vram; do
    name=$(echo $name)
    [ -n "$name" ] || continue
    case " ${CASES:-$name} " in *" $name "*) capped "$name" "$synth" $vram ;; esac
  done <<< "$CASE_TABLE"
  rm -f $work/capped-*
}

# capped NAME SYNTH_OPTIONS VRAM: neighbours of one model follow each other, so that it is written once.
capped() {
  local name=$1 synth=$2 vram=$3 model profile cuda=()
  model=$work/capped-$(echo "$synth" | tr -cs 'a-z0-9_.' '-').gguf
  profile=$model.$vram.profile
  if [ ! -e "$model" ]; then
    rm -f $work/capped-*
    step "write the model of $name" capped.log $work/engine/bin/hotpath-synth "$model.part" \
      --vocabulary media/starter/starter-nano-q8_0.gguf $synth || return
    mv "$model.part" "$model"
  fi
  [ ! -e $work/engine/cuda/libhotpath-cuda.so ] || cuda=(--cuda $work/engine/cuda/libhotpath-cuda.so)
  echo "$name:$synth, $vram of GPU memory" >> "$OUT/capped.txt"
  step "$name" capped.txt $work/engine/bin/hotpath-sparse-bench "$model" --modes auto --vram "$vram" --profile "$profile" \
    --prompt 512 --tokens 48 --repeat 3 --json-file "$OUT/capped-$name.json" ${cuda[@]+"${cuda[@]}"}
}

for name in "$@"; do
  case $name in
    kernels | build | tests | speed) ;;
    *) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 2 ;;
  esac
done
machine
for name in ${*:-kernels build tests speed}; do $name; done
exit $failed
