/* Calls every kernel with unusable arguments; each must refuse them and write nothing. */
#include <stdio.h>

#include "mcubnn/mcubnn.h"

static int failures;

static void expect(const char *what, mcubnn_status wanted, mcubnn_status status) {
    if (status != wanted) {
        fprintf(stderr, "%s: status %d\n", what, (int)status);
        ++failures;
    }
}

/* No parameters, no input, no output, and parameters that are all zero. */
#define REFUSES(kernel)                                                                            \
    do {                                                                                           \
        static const kernel##_params zero;                                                         \
        uint32_t in[1] = {0u};                                                                     \
        uint32_t out[1] = {7u};                                                                    \
        expect(#kernel " params", MCUBNN_ERROR_ARGUMENT, kernel(NULL, NULL, in, out));             \
        expect(#kernel " input", MCUBNN_ERROR_ARGUMENT, kernel(NULL, &zero, NULL, out));           \
        expect(#kernel " output", MCUBNN_ERROR_ARGUMENT, kernel(NULL, &zero, in, NULL));           \
        expect(#kernel " zero", MCUBNN_ERROR_ARGUMENT, kernel(NULL, &zero, in, out));              \
        expect(#kernel " wrote", MCUBNN_SUCCESS, out[0] == 7u ? MCUBNN_SUCCESS : 1);               \
    } while (0)

/* One change of otherwise usable parameters; `context`, `in` and `out` are the caller's. */
#define REFUSES_CHANGE(kernel, usable, field, value)                                               \
    do {                                                                                           \
        kernel##_params params = (usable);                                                         \
        params.field = (value);                                                                    \
        expect(#kernel " " #field, MCUBNN_ERROR_ARGUMENT, kernel(&context, &params, in, out));     \
        expect(#kernel " " #field " wrote", MCUBNN_SUCCESS, out[0] == 7 ? MCUBNN_SUCCESS : 1);     \
    } while (0)

/* Scratch that is missing or a byte too small, then usable: the kernel writes 1. */
#define NEEDS_SCRATCH(kernel, usable)                                                              \
    do {                                                                                           \
        const mcubnn_context none = {NULL, context.size_bytes};                                    \
        const mcubnn_context small = {context.buffer, context.size_bytes - 1u};                    \
        expect(#kernel " scratch", MCUBNN_ERROR_SCRATCH, kernel(NULL, &(usable), in, out));        \
        expect(#kernel " buffer", MCUBNN_ERROR_SCRATCH, kernel(&none, &(usable), in, out));        \
        expect(#kernel " size", MCUBNN_ERROR_SCRATCH, kernel(&small, &(usable), in, out));         \
        expect(#kernel " wrote", MCUBNN_SUCCESS, out[0] == 7 ? MCUBNN_SUCCESS : 1);                \
        expect(#kernel " usable", MCUBNN_SUCCESS, kernel(&context, &(usable), in, out));           \
        expect(#kernel " result", MCUBNN_SUCCESS, out[0] == 1 ? MCUBNN_SUCCESS : 1);               \
    } while (0)

static const uint32_t weights[1] = {1u};
static const int32_t ones[1] = {1};
static const int32_t zeros[1] = {0};
static const int64_t zeros64[1] = {0};
static const int8_t low[1] = {-128};
static const int8_t high[1] = {127};

static const mcubnn_binary_conv2d_params usable = {
    .input = {1, 1, 1},
    .output = {1, 1, 1},
    .window = {1, 1, 1, 1, 1, 1, 0, 0},
    .pad_value = 0,
    .weights = weights,
    .output_stage = {.kind = MCUBNN_OUTPUT_S32,
                     .channels = 1,
                     .as.s32 = {.multiplier = ones, .bias = zeros}},
};

static void check_convolution(void) {
    const mcubnn_context context = {NULL, 0u};
    const uint32_t in[1] = {1u};
    int32_t out[1] = {7};
    REFUSES_CHANGE(mcubnn_binary_conv2d, usable, input.height, 0);
    REFUSES_CHANGE(mcubnn_binary_conv2d, usable, input.channels, 0);
    REFUSES_CHANGE(mcubnn_binary_conv2d, usable, output.width, 0);
    REFUSES_CHANGE(mcubnn_binary_conv2d, usable, output.channels, 2);
    REFUSES_CHANGE(mcubnn_binary_conv2d, usable, window.kernel_width, 0);
    REFUSES_CHANGE(mcubnn_binary_conv2d, usable, window.stride_height, 0);
    REFUSES_CHANGE(mcubnn_binary_conv2d, usable, window.dilation_width, 0);
    REFUSES_CHANGE(mcubnn_binary_conv2d, usable, pad_value, 2);
    REFUSES_CHANGE(mcubnn_binary_conv2d, usable, pad_value, -2);
    REFUSES_CHANGE(mcubnn_binary_conv2d, usable, weights, NULL);
    REFUSES_CHANGE(mcubnn_binary_conv2d, usable, output_stage.channels, 0);
    REFUSES_CHANGE(mcubnn_binary_conv2d, usable, output_stage.kind, (mcubnn_output_kind)3);
    REFUSES_CHANGE(mcubnn_binary_conv2d, usable, output_stage.as.s32.bias, NULL);
    REFUSES_CHANGE(mcubnn_binary_conv2d, usable, output_stage.as.s32.multiplier, NULL);
    expect("usable", MCUBNN_SUCCESS, mcubnn_binary_conv2d(&context, &usable, in, out));
    expect("result", MCUBNN_SUCCESS, out[0] == 1 ? MCUBNN_SUCCESS : 1);
}

/* One change of usable parameters of a pool behind a convolution to one bit. */
#define REFUSES_POOL(kernel, convolution, field, value)                                            \
    do {                                                                                           \
        mcubnn_bit_max_pool_params changed = usable_pool;                                          \
        changed.field = (value);                                                                   \
        REFUSES_CHANGE(kernel, convolution, pool, &changed);                                       \
    } while (0)

/* Every way in which a pool can be wrong, then a usable one: its pixel is the convolution's. */
#define REFUSES_POOLS(kernel, convolution)                                                         \
    do {                                                                                           \
        REFUSES_POOL(kernel, convolution, input.height, 2);                                        \
        REFUSES_POOL(kernel, convolution, input.width, 2);                                         \
        REFUSES_POOL(kernel, convolution, input.channels, 2);                                      \
        REFUSES_POOL(kernel, convolution, output.height, 0);                                       \
        REFUSES_POOL(kernel, convolution, output.width, 2);                                        \
        REFUSES_POOL(kernel, convolution, output.channels, 2);                                     \
        REFUSES_POOL(kernel, convolution, window.kernel_height, 0);                                \
        REFUSES_POOL(kernel, convolution, window.kernel_width, 2);                                 \
        REFUSES_POOL(kernel, convolution, window.stride_width, 0);                                 \
        REFUSES_POOL(kernel, convolution, window.dilation_height, 2);                              \
        REFUSES_POOL(kernel, convolution, window.dilation_width, 2);                               \
        REFUSES_POOL(kernel, convolution, window.pad_top, 1);                                      \
        REFUSES_POOL(kernel, convolution, window.pad_left, 1);                                     \
        kernel##_params params = (convolution);                                                    \
        params.pool = &usable_pool;                                                                \
        expect(#kernel " pool", MCUBNN_SUCCESS, kernel(&context, &params, in, out));               \
        expect(#kernel " pooled", MCUBNN_SUCCESS, out[0] == 1u ? MCUBNN_SUCCESS : 1);              \
    } while (0)

static const mcubnn_bit_max_pool_params usable_pool = {
    .input = {1, 1, 1},
    .output = {1, 1, 1},
    .window = {1, 1, 1, 1, 1, 1, 0, 0},
};

static void check_pool(void) {
    static const uint32_t no_flip[1] = {0u};
    static const mcubnn_output_stage to_bits = {
        .kind = MCUBNN_OUTPUT_BITS,
        .channels = 1,
        .as.bits = {.thresholds = ones, .flip = no_flip},
    };
    const uint32_t in[1] = {1u};
    uint32_t scratch[8];
    uint32_t out[1] = {7u};
    const mcubnn_context context = {scratch, sizeof scratch};
    REFUSES_CHANGE(mcubnn_binary_conv2d, usable, pool, &usable_pool); /* its output is no bits */
    mcubnn_binary_conv2d_params conv = usable;
    conv.output_stage = to_bits;
    REFUSES_POOLS(mcubnn_binary_conv2d, conv);
    const mcubnn_input_conv2d_params input = {
        .input = {1, 1, 1},
        .output = {1, 1, 1},
        .window = {1, 1, 1, 1, 1, 1, 0, 0},
        .weights = weights,
        .output_stage = to_bits,
    };
    out[0] = 7u;
    REFUSES_POOLS(mcubnn_input_conv2d, input);
    mcubnn_input_conv2d_params scores = input;
    scores.output_stage = usable.output_stage;
    out[0] = 7u;
    REFUSES_CHANGE(mcubnn_input_conv2d, scores, pool, &usable_pool);
}

static void check_shift(void) {
    static const uint8_t shifts[2] = {0, 63};
    for (uint32_t i = 0u; i < 2u; ++i) {
        const uint32_t in[1] = {1u};
        int8_t out[1] = {7};
        mcubnn_binary_conv2d_params params = usable;
        params.output_stage.kind = MCUBNN_OUTPUT_S8;
        params.output_stage.as.s8 = (mcubnn_output_s8){ones, zeros64, shifts[i], low, high};
        expect("shift", MCUBNN_ERROR_ARGUMENT, mcubnn_binary_conv2d(NULL, &params, in, out));
    }
}

static void check_threshold_kind(void) {
    const uint8_t in[1] = {1u};
    uint32_t out[1] = {7u};
    mcubnn_threshold_params params = {.input = {1, 1, 1}, .input_type = MCUBNN_PIXEL_U8};
    params.output_stage = usable.output_stage;
    expect("threshold kind", MCUBNN_ERROR_ARGUMENT, mcubnn_threshold(NULL, &params, in, out));
}

/* Usable parameters of the f2c kernels, apart from what each check changes. */
static const uint32_t f2c_weights[4] = {1u, 0u, 0u, 0u};
static const uint32_t f2c_planes[18] = {0u};

static mcubnn_binary_conv2d_f2c_params usable_f2c(void) {
    const mcubnn_binary_conv2d_f2c_params params = {
        .input = {1, 1, 1},
        .output = {1, 1, 1},
        .window = {1, 1, 1, 1, 1, 1, 0, 0},
        .pad_value = 0,
        .tables = {f2c_weights, f2c_planes, 9, 2u},
    };
    return params;
}

/* One change of otherwise usable parameters of both f2c convolutions. */
#define F2C_REFUSES_CHANGE(field, value)                                                           \
    do {                                                                                           \
        REFUSES_CHANGE(mcubnn_binary_conv2d_f2c_rows, usable_f2c(), field, value);                 \
        REFUSES_CHANGE(mcubnn_binary_conv2d_f2c_pixel, usable_f2c(), field, value);                \
    } while (0)

static void check_f2c_parameters(void) {
    static const uint16_t class_of[1] = {0};
    uint32_t scratch[8];
    const mcubnn_context context = {scratch, sizeof scratch};
    const uint32_t in[1] = {1u};
    uint32_t out[1] = {7u};
    F2C_REFUSES_CHANGE(input.channels, 0);
    F2C_REFUSES_CHANGE(output.height, 0);
    F2C_REFUSES_CHANGE(window.stride_width, 0);
    F2C_REFUSES_CHANGE(pad_value, 2);
    F2C_REFUSES_CHANGE(tables.weights, NULL);
    F2C_REFUSES_CHANGE(tables.planes, NULL);
    F2C_REFUSES_CHANGE(tables.planes_per_word, 8);
    F2C_REFUSES_CHANGE(tables.planes_per_word, 18);
    F2C_REFUSES_CHANGE(row_class, class_of);
    F2C_REFUSES_CHANGE(column_class, class_of);
    F2C_REFUSES_CHANGE(window.kernel_height, 40000);
    static const mcubnn_bit_max_pool_params padded = {
        {1, 1, 1}, {1, 1, 1}, {1, 1, 1, 1, 1, 1, 1, 0}, NULL};
    F2C_REFUSES_CHANGE(pool, &padded);
    mcubnn_binary_conv2d_f2c_params dilated = usable_f2c();
    dilated.window.dilation_width = 2;
    expect("dilation", MCUBNN_ERROR_ARGUMENT,
           mcubnn_binary_conv2d_f2c_rows(&context, &dilated, in, out));
}

static void check_f2c_scratch(void) {
    uint32_t scratch[8];
    const mcubnn_context none = {NULL, sizeof scratch};
    const mcubnn_context small = {scratch, 7u};
    const mcubnn_binary_conv2d_f2c_params params = usable_f2c();
    const mcubnn_binary_dense_f2c_params dense = {{1, 1, 1}, 1, params.tables};
    const mcubnn_context *const contexts[3] = {NULL, &none, &small};
    const mcubnn_context without_pool = {
        scratch, MCUBNN_BINARY_CONV2D_F2C_ROWS_SCRATCH_BYTES(1u, 1u, 1u, 0u)};
    mcubnn_binary_conv2d_f2c_params pooled = params;
    pooled.pool = &usable_pool;
    for (uint32_t i = 0u; i < 3u; ++i) {
        const uint32_t in[1] = {1u};
        uint32_t out[1] = {7u};
        expect("scratch of rows", MCUBNN_ERROR_SCRATCH,
               mcubnn_binary_conv2d_f2c_rows(contexts[i], &params, in, out));
        expect("scratch of pixel", MCUBNN_ERROR_SCRATCH,
               mcubnn_binary_conv2d_f2c_pixel(contexts[i], &params, in, out));
        expect("scratch of dense", MCUBNN_ERROR_SCRATCH,
               mcubnn_binary_dense_f2c(contexts[i], &dense, in, out));
        expect("scratch of rows, pooled", MCUBNN_ERROR_SCRATCH,
               mcubnn_binary_conv2d_f2c_rows(&without_pool, &pooled, in, out));
        expect("scratch of pixel, pooled", MCUBNN_ERROR_SCRATCH,
               mcubnn_binary_conv2d_f2c_pixel(&without_pool, &pooled, in, out));
        expect("scratch wrote", MCUBNN_SUCCESS, out[0] == 7u ? MCUBNN_SUCCESS : 1);
    }
}

/* Parameters and scratch of the mdfa kernel: usable at last. */
static void check_mdfa(void) {
    const mcubnn_binary_dense_mdfa_params dense = {{1, 1, 1}, weights, usable.output_stage};
    const uint32_t in[1] = {1u};
    uint32_t scratch[1];
    int32_t out[1] = {7};
    const mcubnn_context context = {scratch, sizeof scratch};
    REFUSES_CHANGE(mcubnn_binary_dense_mdfa, dense, weights, NULL);
    REFUSES_CHANGE(mcubnn_binary_dense_mdfa, dense, output_stage.channels, 0);
    NEEDS_SCRATCH(mcubnn_binary_dense_mdfa, dense);
}

/* Parameters and scratch of the mdfa convolution: usable at last. */
static void check_mdfa_conv(void) {
    const mcubnn_binary_conv2d_mdfa_params mdfa = {
        .input = {1, 1, 1},
        .output = {1, 1, 1},
        .window = {1, 1, 1, 1, 1, 1, 0, 0},
        .pad_value = -1,
        .weights = weights,
        .output_stage = usable.output_stage,
    };
    const uint32_t in[1] = {1u};
    uint32_t scratch[1];
    int32_t out[1] = {7};
    const mcubnn_context context = {scratch, sizeof scratch};
    REFUSES_CHANGE(mcubnn_binary_conv2d_mdfa, mdfa, input.channels, 0);
    REFUSES_CHANGE(mcubnn_binary_conv2d_mdfa, mdfa, output.width, 0);
    REFUSES_CHANGE(mcubnn_binary_conv2d_mdfa, mdfa, window.stride_height, 0);
    REFUSES_CHANGE(mcubnn_binary_conv2d_mdfa, mdfa, pad_value, 0);
    REFUSES_CHANGE(mcubnn_binary_conv2d_mdfa, mdfa, pad_value, 2);
    REFUSES_CHANGE(mcubnn_binary_conv2d_mdfa, mdfa, weights, NULL);
    REFUSES_CHANGE(mcubnn_binary_conv2d_mdfa, mdfa, output_stage.channels, 2);
    REFUSES_CHANGE(mcubnn_binary_conv2d_mdfa, mdfa, pool, &usable_pool); /* scores */
    NEEDS_SCRATCH(mcubnn_binary_conv2d_mdfa, mdfa);
}

/* Parameters and scratch of the f2t kernel: usable at last. */
static void check_f2t(void) {
    static const uint16_t lists[16] = {0, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1};
    static const uint16_t eights[1] = {1};
    static const uint32_t threshold[1] = {~32u}; /* 31 - A + 2 P with A = P = 1 */
    static const uint32_t inverted[1] = {0u};
    static const mcubnn_binary_conv2d_f2t_params f2t = {
        .input = {1, 1, 1},
        .output = {1, 1, 1},
        .window = {1, 1, 1, 1, 1, 1, 0, 0},
        .threshold_bits = 6,
        .classes = 1,
        .lists = lists,
        .list_eights = eights,
        .thresholds = threshold,
        .inverted = inverted,
    };
    const uint32_t in[1] = {1u};
    uint32_t scratch[11];
    uint32_t out[1] = {7u};
    const mcubnn_context context = {scratch, sizeof scratch};
    REFUSES_CHANGE(mcubnn_binary_conv2d_f2t, f2t, input.channels, 0);
    REFUSES_CHANGE(mcubnn_binary_conv2d_f2t, f2t, window.stride_height, 2);
    REFUSES_CHANGE(mcubnn_binary_conv2d_f2t, f2t, window.stride_width, 2);
    REFUSES_CHANGE(mcubnn_binary_conv2d_f2t, f2t, pad_value, 2);
    REFUSES_CHANGE(mcubnn_binary_conv2d_f2t, f2t, threshold_bits, 5);
    REFUSES_CHANGE(mcubnn_binary_conv2d_f2t, f2t, threshold_bits, 21);
    REFUSES_CHANGE(mcubnn_binary_conv2d_f2t, f2t, classes, 0);
    REFUSES_CHANGE(mcubnn_binary_conv2d_f2t, f2t, classes, 2);
    REFUSES_CHANGE(mcubnn_binary_conv2d_f2t, f2t, lists, NULL);
    REFUSES_CHANGE(mcubnn_binary_conv2d_f2t, f2t, list_eights, NULL);
    REFUSES_CHANGE(mcubnn_binary_conv2d_f2t, f2t, thresholds, NULL);
    REFUSES_CHANGE(mcubnn_binary_conv2d_f2t, f2t, inverted, NULL);
    NEEDS_SCRATCH(mcubnn_binary_conv2d_f2t, f2t);
}

int main(void) {
    REFUSES(mcubnn_binary_conv2d);
    REFUSES(mcubnn_binary_conv2d_f2c_pixel);
    REFUSES(mcubnn_binary_conv2d_f2c_rows);
    REFUSES(mcubnn_binary_conv2d_f2t);
    REFUSES(mcubnn_binary_conv2d_mdfa);
    REFUSES(mcubnn_binary_dense);
    REFUSES(mcubnn_binary_dense_f2c);
    REFUSES(mcubnn_binary_dense_mdfa);
    REFUSES(mcubnn_bit_max_pool);
    REFUSES(mcubnn_input_conv2d);
    REFUSES(mcubnn_input_dense);
    REFUSES(mcubnn_int8_conv2d);
    REFUSES(mcubnn_int8_dense);
    REFUSES(mcubnn_int8_max_pool);
    REFUSES(mcubnn_threshold);
    REFUSES(mcubnn_unpack_bits);
    check_convolution();
    check_pool();
    check_shift();
    check_threshold_kind();
    check_f2c_parameters();
    check_f2c_scratch();
    check_mdfa();
    check_mdfa_conv();
    check_f2t();
    return failures == 0 ? 0 : 1;
}
