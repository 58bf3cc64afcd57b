/** @file types.h
 *  Types every kernel shares: status, context, shapes and the output stage.
 *
 *  Conventions (docs/SPEC.md): maps are NHWC; a binary value is one bit, 1 for +1 and 0 for -1;
 *  channel c of a pixel is bit c % 32 of word c / 32; every pixel starts on a word and the unused
 *  bits of its last word are 0.
 */
#ifndef MCUBNN_TYPES_H
#define MCUBNN_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Version of everything in these headers that generated code depends on. */
#define MCUBNN_ABI_VERSION 3

/** Result of a kernel call. */
typedef enum {
    MCUBNN_SUCCESS = 0,         /**< the output is valid */
    MCUBNN_ERROR_ARGUMENT = -1, /**< a pointer is null or a parameter contradicts another */
    MCUBNN_ERROR_SCRATCH = -2   /**< the context's buffer is smaller than the kernel needs */
} mcubnn_status;

/** Working memory of one call. */
typedef struct {
    void *buffer;        /**< 4-byte aligned, or NULL if the kernel needs none */
    uint32_t size_bytes; /**< size of buffer */
} mcubnn_context;

/** Height, width and channels of a map. */
typedef struct {
    uint16_t height;
    uint16_t width;
    uint16_t channels;
} mcubnn_dims;

/** Geometry of a sliding window. */
typedef struct {
    uint16_t kernel_height;
    uint16_t kernel_width;
    uint16_t stride_height;
    uint16_t stride_width;
    uint16_t dilation_height;
    uint16_t dilation_width;
    uint16_t pad_top;  /**< rows added above; rows below follow from the output's height */
    uint16_t pad_left; /**< columns added to the left */
} mcubnn_window;

/** Element type of an integer input. */
typedef enum {
    MCUBNN_PIXEL_U8 = 0,
    MCUBNN_PIXEL_S8 = 1,
    MCUBNN_PIXEL_S32 = 2 /**< scores; only mcubnn_threshold() reads them */
} mcubnn_pixel_type;

/** What the output stage writes. */
typedef enum {
    MCUBNN_OUTPUT_BITS = 0, /**< packed bits */
    MCUBNN_OUTPUT_S8 = 1,   /**< int8 */
    MCUBNN_OUTPUT_S32 = 2   /**< int32 */
} mcubnn_output_kind;

/** bit = (sum >= threshold) xor flip. */
typedef struct {
    const int32_t *thresholds; /**< [class][channel] */
    const uint32_t *flip;      /**< one bit per channel, packed */
} mcubnn_output_bits;

/** clamp((sum * multiplier + bias + 2^(shift-1)) >> shift, low, high), in 64 bits. */
typedef struct {
    const int32_t *multiplier; /**< [channel] */
    const int64_t *bias;       /**< [class][channel] */
    uint8_t shift;             /**< 1..62 */
    const int8_t *low;         /**< [channel] */
    const int8_t *high;        /**< [channel] */
} mcubnn_output_s8;

/** sum * multiplier + bias; the compiler guarantees that it fits. */
typedef struct {
    const int32_t *multiplier; /**< [channel] */
    const int32_t *bias;       /**< [class][channel] */
} mcubnn_output_s32;

/** What becomes of a kernel's int32 sums. */
typedef struct {
    mcubnn_output_kind kind;
    uint16_t channels;
    const uint8_t *position_class; /**< [out_h][out_w] row of the tables, or NULL for row 0 */
    union {
        mcubnn_output_bits bits;
        mcubnn_output_s8 s8;
        mcubnn_output_s32 s32;
    } as;
} mcubnn_output_stage;

#endif
