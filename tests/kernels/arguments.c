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

/* One change of otherwise usable parameters of a convolution. */
#define REFUSES_CHANGE(field, value)                                                               \
    do {                                                                                           \
        mcubnn_binary_conv2d_params params = usable;                                               \
        params.field = (value);                                                                    \
        expect(#field, MCUBNN_ERROR_ARGUMENT, mcubnn_binary_conv2d(NULL, &params, in, out));       \
        expect(#field " wrote", MCUBNN_SUCCESS, out[0] == 7 ? MCUBNN_SUCCESS : 1);                 \
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
    const uint32_t in[1] = {1u};
    int32_t out[1] = {7};
    REFUSES_CHANGE(input.height, 0);
    REFUSES_CHANGE(input.channels, 0);
    REFUSES_CHANGE(output.width, 0);
    REFUSES_CHANGE(output.channels, 2);
    REFUSES_CHANGE(window.kernel_width, 0);
    REFUSES_CHANGE(window.stride_height, 0);
    REFUSES_CHANGE(window.dilation_width, 0);
    REFUSES_CHANGE(pad_value, 2);
    REFUSES_CHANGE(pad_value, -2);
    REFUSES_CHANGE(weights, NULL);
    REFUSES_CHANGE(output_stage.channels, 0);
    REFUSES_CHANGE(output_stage.kind, (mcubnn_output_kind)3);
    REFUSES_CHANGE(output_stage.as.s32.bias, NULL);
    REFUSES_CHANGE(output_stage.as.s32.multiplier, NULL);
    expect("usable", MCUBNN_SUCCESS, mcubnn_binary_conv2d(NULL, &usable, in, out));
    expect("result", MCUBNN_SUCCESS, out[0] == 1 ? MCUBNN_SUCCESS : 1);
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
        mcubnn_binary_conv2d_f2c_params params = usable_f2c();                                     \
        params.field = (value);                                                                    \
        expect(#field " rows", MCUBNN_ERROR_ARGUMENT,                                              \
               mcubnn_binary_conv2d_f2c_rows(&context, &params, in, out));                         \
        expect(#field " pixel", MCUBNN_ERROR_ARGUMENT,                                             \
               mcubnn_binary_conv2d_f2c_pixel(&context, &params, in, out));                        \
        expect(#field " wrote", MCUBNN_SUCCESS, out[0] == 7u ? MCUBNN_SUCCESS : 1);                \
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
    for (uint32_t i = 0u; i < 3u; ++i) {
        const uint32_t in[1] = {1u};
        uint32_t out[1] = {7u};
        expect("scratch of rows", MCUBNN_ERROR_SCRATCH,
               mcubnn_binary_conv2d_f2c_rows(contexts[i], &params, in, out));
        expect("scratch of pixel", MCUBNN_ERROR_SCRATCH,
               mcubnn_binary_conv2d_f2c_pixel(contexts[i], &params, in, out));
        expect("scratch of dense", MCUBNN_ERROR_SCRATCH,
               mcubnn_binary_dense_f2c(contexts[i], &dense, in, out));
        expect("scratch wrote", MCUBNN_SUCCESS, out[0] == 7u ? MCUBNN_SUCCESS : 1);
    }
}

/* Parameters and scratch of the mdfa kernel: usable at last. */
static void check_mdfa(void) {
    const uint32_t in[1] = {1u};
    uint32_t scratch[1];
    int32_t out[1] = {7};
    const mcubnn_context context = {scratch, sizeof scratch};
    const mcubnn_context none = {NULL, sizeof scratch};
    const mcubnn_context small = {scratch, sizeof scratch - 1u};
    const mcubnn_binary_dense_mdfa_params dense = {{1, 1, 1}, weights, usable.output_stage};
    mcubnn_binary_dense_mdfa_params params = dense;
    params.weights = NULL;
    expect("mdfa weights", MCUBNN_ERROR_ARGUMENT,
           mcubnn_binary_dense_mdfa(&context, &params, in, out));
    params = dense;
    params.output_stage.channels = 0;
    expect("mdfa channels", MCUBNN_ERROR_ARGUMENT,
           mcubnn_binary_dense_mdfa(&context, &params, in, out));
    expect("mdfa scratch", MCUBNN_ERROR_SCRATCH, mcubnn_binary_dense_mdfa(NULL, &dense, in, out));
    expect("mdfa buffer", MCUBNN_ERROR_SCRATCH, mcubnn_binary_dense_mdfa(&none, &dense, in, out));
    expect("mdfa size", MCUBNN_ERROR_SCRATCH, mcubnn_binary_dense_mdfa(&small, &dense, in, out));
    expect("mdfa wrote", MCUBNN_SUCCESS, out[0] == 7 ? MCUBNN_SUCCESS : 1);
    expect("mdfa usable", MCUBNN_SUCCESS, mcubnn_binary_dense_mdfa(&context, &dense, in, out));
    expect("mdfa result", MCUBNN_SUCCESS, out[0] == 1 ? MCUBNN_SUCCESS : 1);
}

/* One change of otherwise usable parameters of the mdfa convolution. */
#define MDFA_REFUSES_CHANGE(field, value)                                                          \
    do {                                                                                           \
        mcubnn_binary_conv2d_mdfa_params params = mdfa;                                            \
        params.field = (value);                                                                    \
        expect("mdfa " #field, MCUBNN_ERROR_ARGUMENT,                                              \
               mcubnn_binary_conv2d_mdfa(&context, &params, in, out));                             \
        expect("mdfa " #field " wrote", MCUBNN_SUCCESS, out[0] == 7 ? MCUBNN_SUCCESS : 1);         \
    } while (0)

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
    const mcubnn_context none = {NULL, sizeof scratch};
    const mcubnn_context small = {scratch, sizeof scratch - 1u};
    MDFA_REFUSES_CHANGE(input.channels, 0);
    MDFA_REFUSES_CHANGE(output.width, 0);
    MDFA_REFUSES_CHANGE(window.stride_height, 0);
    MDFA_REFUSES_CHANGE(pad_value, 0);
    MDFA_REFUSES_CHANGE(pad_value, 2);
    MDFA_REFUSES_CHANGE(weights, NULL);
    MDFA_REFUSES_CHANGE(output_stage.channels, 2);
    expect("mdfa scratch", MCUBNN_ERROR_SCRATCH, mcubnn_binary_conv2d_mdfa(NULL, &mdfa, in, out));
    expect("mdfa buffer", MCUBNN_ERROR_SCRATCH, mcubnn_binary_conv2d_mdfa(&none, &mdfa, in, out));
    expect("mdfa size", MCUBNN_ERROR_SCRATCH, mcubnn_binary_conv2d_mdfa(&small, &mdfa, in, out));
    expect("mdfa wrote", MCUBNN_SUCCESS, out[0] == 7 ? MCUBNN_SUCCESS : 1);
    expect("mdfa usable", MCUBNN_SUCCESS, mcubnn_binary_conv2d_mdfa(&context, &mdfa, in, out));
    expect("mdfa result", MCUBNN_SUCCESS, out[0] == 1 ? MCUBNN_SUCCESS : 1);
}

/* One change of otherwise usable parameters of the f2t kernel. */
#define F2T_REFUSES_CHANGE(field, value)                                                           \
    do {                                                                                           \
        mcubnn_binary_conv2d_f2t_params params = f2t;                                              \
        params.field = (value);                                                                    \
        expect("f2t " #field, MCUBNN_ERROR_ARGUMENT,                                               \
               mcubnn_binary_conv2d_f2t(&context, &params, in, out));                              \
        expect("f2t " #field " wrote", MCUBNN_SUCCESS, out[0] == 7u ? MCUBNN_SUCCESS : 1);         \
    } while (0)

/* Parameters and scratch of the f2t kernel: usable at last. */
static void check_f2t(void) {
    static const uint16_t list[8] = {0, 1, 1, 1, 1, 1, 1, 1};
    static const uint16_t eights[1] = {1};
    static const uint32_t threshold[1] = {~9u}; /* 8 - A + 2 P with A = P = 1 */
    static const uint32_t inverted[1] = {0u};
    static const mcubnn_binary_conv2d_f2t_params f2t = {
        .input = {1, 1, 1},
        .output = {1, 1, 1},
        .window = {1, 1, 1, 1, 1, 1, 0, 0},
        .threshold_bits = 5,
        .classes = 1,
        .lists = list,
        .list_eights = eights,
        .thresholds = threshold,
        .inverted = inverted,
    };
    const uint32_t in[1] = {1u};
    uint32_t scratch[11];
    uint32_t out[1] = {7u};
    const mcubnn_context context = {scratch, sizeof scratch};
    const mcubnn_context none = {NULL, sizeof scratch};
    const mcubnn_context small = {scratch, sizeof scratch - 1u};
    F2T_REFUSES_CHANGE(input.channels, 0);
    F2T_REFUSES_CHANGE(window.stride_height, 2);
    F2T_REFUSES_CHANGE(window.stride_width, 2);
    F2T_REFUSES_CHANGE(pad_value, 2);
    F2T_REFUSES_CHANGE(threshold_bits, 4);
    F2T_REFUSES_CHANGE(threshold_bits, 21);
    F2T_REFUSES_CHANGE(classes, 0);
    F2T_REFUSES_CHANGE(classes, 2);
    F2T_REFUSES_CHANGE(lists, NULL);
    F2T_REFUSES_CHANGE(list_eights, NULL);
    F2T_REFUSES_CHANGE(thresholds, NULL);
    F2T_REFUSES_CHANGE(inverted, NULL);
    expect("f2t scratch", MCUBNN_ERROR_SCRATCH, mcubnn_binary_conv2d_f2t(NULL, &f2t, in, out));
    expect("f2t buffer", MCUBNN_ERROR_SCRATCH, mcubnn_binary_conv2d_f2t(&none, &f2t, in, out));
    expect("f2t size", MCUBNN_ERROR_SCRATCH, mcubnn_binary_conv2d_f2t(&small, &f2t, in, out));
    expect("f2t wrote", MCUBNN_SUCCESS, out[0] == 7u ? MCUBNN_SUCCESS : 1);
    expect("f2t usable", MCUBNN_SUCCESS, mcubnn_binary_conv2d_f2t(&context, &f2t, in, out));
    expect("f2t result", MCUBNN_SUCCESS, out[0] == 1u ? MCUBNN_SUCCESS : 1);
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
    check_shift();
    check_threshold_kind();
    check_f2c_parameters();
    check_f2c_scratch();
    check_mdfa();
    check_mdfa_conv();
    check_f2t();
    return failures == 0 ? 0 : 1;
}
