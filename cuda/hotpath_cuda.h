/* Hotpath's CUDA kernels as a library of its own, opened at run time: the hot half of the FFNs of one model on one device.
   Plain C, so that nothing of the CUDA compiler's C++ reaches the engine. Nothing here aborts or throws. */
#ifndef HOTPATH_CUDA_H
#define HOTPATH_CUDA_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define HOTPATH_CUDA_API __declspec(dllexport)
#else
#define HOTPATH_CUDA_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Raised whenever anything below changes; the engine refuses another. */
#define HOTPATH_CUDA_VERSION 2

enum hotpath_cuda_status {
  HOTPATH_CUDA_OK = 0,
  HOTPATH_CUDA_NO_DRIVER,
  HOTPATH_CUDA_DRIVER_TOO_OLD,
  HOTPATH_CUDA_NO_DEVICE,
  HOTPATH_CUDA_OUT_OF_MEMORY,
  HOTPATH_CUDA_FAILED
};

enum { HOTPATH_CUDA_TEXT = 256, HOTPATH_CUDA_READABLE_TOKENS = 16 };

struct hotpath_cuda_problem {
  int status;                   /* hotpath_cuda_status */
  char text[HOTPATH_CUDA_TEXT]; /* a sentence with the actual values */
};

/* Types are ggml's numbers, forms those of hotpath::hotcold::FfnForm. */
struct hotpath_cuda_layer {
  int64_t n_embd;
  int64_t n_slots; /* a multiple of 32; 0 gives the memory back */
  int form;
  int type;      /* of gate and up */
  int down_type; /* F16 or Q8_0 */
  int has_bias;
};

/* One group of 32 slots: rows in ggml's layout, without gaps, the first `count` slots; the others become empty. */
struct hotpath_cuda_neurons {
  int count;
  const void* gate; /* null when ungated */
  const void* up;
  const void* down;       /* per neuron its n_embd weights, in down_type along n_embd */
  const float* gate_bias; /* null: zero */
  const float* up_bias;
};

struct hotpath_cuda_unit;

HOTPATH_CUDA_API int hotpath_cuda_version(void);

/* What this machine has: HOTPATH_CUDA_OK and "2 devices, driver 13.0, runtime 13.0", or what is missing. */
HOTPATH_CUDA_API void hotpath_cuda_probe(struct hotpath_cuda_problem* state);

/* Whether the kernels cover such a layer. */
HOTPATH_CUDA_API int hotpath_cuda_supports(const struct hotpath_cuda_layer* layer);

/* `device`: its PCI address, "0000:c1:00.0". Null and `problem` on failure. */
HOTPATH_CUDA_API struct hotpath_cuda_unit* hotpath_cuda_open(const char* device, int n_layers, int64_t max_tokens,
                                                             struct hotpath_cuda_problem* problem);
HOTPATH_CUDA_API void hotpath_cuda_close(struct hotpath_cuda_unit* unit);
HOTPATH_CUDA_API const char* hotpath_cuda_device_name(const struct hotpath_cuda_unit* unit);
HOTPATH_CUDA_API size_t hotpath_cuda_memory_bytes(const struct hotpath_cuda_unit* unit);

/* These return a status; hotpath_cuda_last_problem says more. One thread at a time, and between `start` and `wait` only
   `wait` and `close`. */
HOTPATH_CUDA_API int hotpath_cuda_set_layer(struct hotpath_cuda_unit* unit, int layer, const struct hotpath_cuda_layer* shape);
HOTPATH_CUDA_API int hotpath_cuda_upload(struct hotpath_cuda_unit* unit, int layer, int64_t group,
                                         const struct hotpath_cuda_neurons* neurons);
HOTPATH_CUDA_API int hotpath_cuda_start(struct hotpath_cuda_unit* unit, int layer, const float* x, int64_t n_tokens);
HOTPATH_CUDA_API int hotpath_cuda_wait(struct hotpath_cuda_unit* unit, float* y);
/* (n_tokens, n_slots) of the run last waited for, of HOTPATH_CUDA_READABLE_TOKENS at most. */
HOTPATH_CUDA_API int hotpath_cuda_read_activations(struct hotpath_cuda_unit* unit, float* values);
HOTPATH_CUDA_API const char* hotpath_cuda_last_problem(const struct hotpath_cuda_unit* unit);

#ifdef __cplusplus
}
#endif

#endif
