#include "hotcold/ffn.h"

#include <algorithm>

#include "hotcold/buffer.h"

namespace hotpath::hotcold {

namespace {

/// The matrix a product is made with; null when it is no product or the matrix is none of an FFN of ours.
const Store::Weight* matrix_of(const ggml_tensor* node) {
  if (!node || (node->op != GGML_OP_MUL_MAT && node->op != GGML_OP_MUL_MAT_ID)) return nullptr;
  const Store::Weight* weight = weight_of(node->src[0]);
  return weight && !weight->plain ? weight : nullptr;
}

const Store::Weight* bias_of(const ggml_tensor* node) {
  if (!node || node->op != GGML_OP_ADD) return nullptr;
  const Store::Weight* weight = weight_of(node->src[1]);
  return weight && weight->name.bias ? weight : nullptr;
}

/// A product with gate or up, with or without its bias.
bool is_row_product(const ggml_tensor* node) {
  const Store::Weight* weight = matrix_of(bias_of(node) ? node->src[0] : node);
  return weight && weight->name.part != Part::down;
}

/// A value that is read and written row by row.
bool has_plain_rows(const ggml_tensor* tensor) { return tensor->type == GGML_TYPE_F32 && tensor->nb[0] == sizeof(float); }

/// Back from x through the scale and shift of a norm. Only where x is the norm's own output: a copy made by the scheduler,
/// as from a GPU, has no sources.
const ggml_tensor* residual_of(const ggml_tensor* x) {
  const ggml_tensor* node = x;
  for (const ggml_op op : {GGML_OP_ADD, GGML_OP_MUL}) {
    if (node && node->op == op) node = node->src[0];
  }
  if (!node || (node->op != GGML_OP_RMS_NORM && node->op != GGML_OP_NORM)) return nullptr;
  const ggml_tensor* residual = node->src[0];
  const ggml_backend_buffer_t buffer = residual->view_src ? residual->view_src->buffer : residual->buffer;
  const bool is_readable = buffer && ggml_backend_buffer_is_host(buffer) && has_plain_rows(residual) && residual->data;
  return is_readable && ggml_are_same_shape(residual, x) ? residual : nullptr;
}

class Matcher {
 public:
  Matcher(ggml_cgraph* graph, int first) : graph_(graph), at_(first) {}

  Match run() {
    Match match;
    while (!down_ && match.reason.empty()) {
      const ggml_tensor* node = next();
      if (!node) {
        match.reason = "it ends before ffn_down";
      } else if (!take(node)) {
        match.reason = std::string(ggml_op_desc(node)) + " (" + node->name + ") is not expected there";
      }
    }
    if (!match.reason.empty()) return match;
    take_down_bias();
    ffn_.y = const_cast<ggml_tensor*>(down_);
    ffn_.residual = ffn_.ids ? nullptr : residual_of(ffn_.x);
    if (!check(match.reason)) return match;
    match.end = at_;
    match.ffn = ffn_;
    return match;
  }

 private:
  /// Steps over the next node that computes something.
  const ggml_tensor* next() {
    while (at_ < ggml_graph_n_nodes(graph_)) {
      const ggml_tensor* node = ggml_graph_node(graph_, at_++);
      if (!is_empty_op(node)) return node;
    }
    return nullptr;
  }

  bool take(const ggml_tensor* node) {
    if (const Store::Weight* weight = matrix_of(node)) return take_product(node, *weight);
    if (const Store::Weight* weight = bias_of(node)) return take_bias(node, *weight);
    if (node->op == GGML_OP_SQR) return take_square(node);
    return take_function(node);
  }

  bool take_product(const ggml_tensor* node, const Store::Weight& weight) {
    if (!ffn_.store) {
      ffn_.store = &weight.store;
      ffn_.layer_index = weight.name.layer;
      ffn_.ids = node->op == GGML_OP_MUL_MAT_ID ? node->src[2] : nullptr;
    }
    const ggml_tensor* ids = node->op == GGML_OP_MUL_MAT_ID ? node->src[2] : nullptr;
    if (ffn_.store != &weight.store || ffn_.layer_index != weight.name.layer || ffn_.ids != ids) return false;
    if (weight.name.part == Part::down) {
      if (!value_ || node->src[1] != value_) return false;
      down_ = node;
      return true;
    }
    const ggml_tensor*& part = weight.name.part == Part::gate ? gate_ : up_;
    if (part || (ffn_.x && ffn_.x != node->src[1])) return false;
    ffn_.x = node->src[1];
    part = node;
    return true;
  }

  bool take_bias(const ggml_tensor* node, const Store::Weight& weight) {
    if (weight.name.part == Part::down || weight.name.layer != ffn_.layer_index) return false;
    const ggml_tensor*& part = weight.name.part == Part::gate ? gate_ : up_;
    if (!part || node->src[0] != part) return false;
    (weight.name.part == Part::gate ? ffn_.has_gate_bias : ffn_.has_up_bias) = true;
    part = node;
    return true;
  }

  bool take_function(const ggml_tensor* node) {
    const auto function = neuron_function_of(node);
    if (!function || value_ || !up_) return false;
    ffn_.form = {*function, node->op == GGML_OP_GLU, false};
    if (ffn_.form.gated ? node->src[0] != gate_ || node->src[1] != up_ : node->src[0] != up_ || gate_) return false;
    value_ = node;
    return true;
  }

  bool take_square(const ggml_tensor* node) {
    if (!value_ || node->src[0] != value_ || ffn_.form != NeuronForm{NeuronFunction::relu}) return false;
    ffn_.form.function = NeuronFunction::relu_squared;
    value_ = node;
    return true;
  }

  void take_down_bias() {
    const int before = at_;
    const ggml_tensor* node = next();
    const Store::Weight* bias = bias_of(node);
    if (bias && bias->name.part == Part::down && node->src[0] == down_) {
      ffn_.has_down_bias = true;
      down_ = node;
    } else {
      at_ = before;
    }
  }

  bool check(std::string& reason) const {
    if (!has_plain_rows(ffn_.x) || !has_plain_rows(ffn_.y)) {
      reason = "its values are no rows of floats";
    } else if (ffn_.x->ne[3] != 1 || (!ffn_.ids && ffn_.x->ne[2] != 1)) {
      reason = "its input has more dimensions than tokens";
    } else if (((gate_ ? gate_->flags : 0) | up_->flags | value_->flags) & GGML_TENSOR_FLAG_OUTPUT) {
      reason = "a value within it is an output of the graph";
    } else if (is_used_later()) {
      reason = "a value within it is used outside";
    }
    return reason.empty();
  }

  bool is_used_later() const {
    for (int i = at_; i < ggml_graph_n_nodes(graph_); ++i) {
      const auto& sources = ggml_graph_node(graph_, i)->src;
      if (std::any_of(std::begin(sources), std::end(sources), [this](const ggml_tensor* source) {
            return source && (source == gate_ || source == up_ || source == value_);
          })) {
        return true;
      }
    }
    return false;
  }

  ggml_cgraph* graph_;
  int at_;
  Ffn ffn_;
  const ggml_tensor* gate_ = nullptr;
  const ggml_tensor* up_ = nullptr;
  const ggml_tensor* value_ = nullptr;  // of the neurons
  const ggml_tensor* down_ = nullptr;
};

}  // namespace

bool is_empty_op(const ggml_tensor* node) {
  switch (node->op) {
    case GGML_OP_NONE:
    case GGML_OP_RESHAPE:
    case GGML_OP_VIEW:
    case GGML_OP_PERMUTE:
    case GGML_OP_TRANSPOSE: return true;
    default: return !(node->flags & GGML_TENSOR_FLAG_COMPUTE);
  }
}

Match match_ffn(ggml_cgraph* graph, int first) { return Matcher(graph, first).run(); }

bool is_ffn_op(const ggml_tensor* op) {
  if (op->op == GGML_OP_NONE) return weight_of(op) != nullptr;
  if (matrix_of(op)) return true;
  if (bias_of(op)) return matrix_of(op->src[0]) != nullptr;
  if (op->op == GGML_OP_SQR) return op->src[0]->op == GGML_OP_UNARY && is_ffn_op(op->src[0]);
  if (!neuron_function_of(op) || !is_row_product(op->src[0])) return false;
  return op->op == GGML_OP_UNARY || (op->src[1] && is_row_product(op->src[1]));
}

}  // namespace hotpath::hotcold
