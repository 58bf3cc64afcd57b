#include "mcubnn/binary_conv2d_f2c_pixel.h"

#include "f2c_conv2d.h"

/** What a call keeps. */
typedef struct {
    const mcubnn_binary_conv2d_f2c_pixel_params *params;
    const uint32_t *input;
    mcubnn_f2c_map map;
    uint32_t channels;         /**< entry channels */
    const uint32_t *pad_pixel; /**< one pixel of padding */
    uint16_t *starts;          /**< room for the lengths of a row of the window; never read */
    uint16_t *entries;         /**< [kernel_height * kernel_width * channels] */
} convolution;

/** Enter the pixels under one row of a window: its columns taps.begin .. taps.end - 1.
 *
 *  Neighbours inside the input lie one behind the other, so they are entered at once.
 */
static void list_row(const convolution *conv, uint32_t map_row, const mcubnn_taps *taps,
                     mcubnn_f2c_lists *lists) {
    const mcubnn_f2c_map *map = &conv->map;
    const mcubnn_dims *input = &conv->params->input;
    const uint32_t words = mcubnn_words_for(input->channels);
    const uint32_t y = map_row - map->border_top; /* above the input: wraps to a large number */
    uint32_t x = taps->start - map->border_left;  /* likewise */
    uint32_t left = taps->end - taps->begin;
    while (left > 0u) {
        const bool inside = y < input->height && x < input->width;
        const uint32_t *pixels = conv->pad_pixel;
        uint32_t count = 1u;
        if (inside) {
            pixels = conv->input + (((y * input->width) + x) * words);
            count = taps->step == 1u ? mcubnn_f2c_least(left, input->width - x) : 1u;
        }
        mcubnn_f2c_list(lists, pixels, count, conv->channels / 4u);
        x += count * taps->step;
        left -= count;
    }
}

/** Enter all pixels under a window that lie in the map; the lists have room for just these. */
static void list_window(const convolution *conv, const mcubnn_patch *patch,
                        mcubnn_f2c_lists *lists) {
    const uint32_t row_entries = conv->params->window.kernel_width * conv->channels;
    uint32_t map_row = patch->rows.start;
    for (uint32_t row = patch->rows.begin; row < patch->rows.end; ++row) {
        lists->starts = conv->starts;
        lists->next = (row * row_entries) + (patch->columns.begin * conv->channels);
        list_row(conv, map_row, &patch->columns, lists);
        map_row += patch->rows.step;
    }
}

/** One pixel of the output. */
static void convolve_pixel(const convolution *conv, const mcubnn_patch *patch,
                           uint32_t threshold_class, mcubnn_f2c_job *job) {
    const uint32_t taps =
        (patch->rows.end - patch->rows.begin) * (patch->columns.end - patch->columns.begin);
    const uint32_t all = taps * conv->channels;
    mcubnn_f2c_lists lists = {
        .entries = conv->entries,
        .set_end = conv->entries,
        .unset_begin = conv->entries + all,
        .starts = conv->starts,
        .next = 0u,
    };
    list_window(conv, patch, &lists);
    const uint32_t set = (uint32_t)(lists.set_end - lists.entries);
    const uint32_t unset = 2u * set > all ? 1u : 0u;
    const mcubnn_f2c_segment segment = {
        .entries = unset != 0u ? lists.unset_begin : lists.entries,
        .count = unset != 0u ? all - set : set,
        .weights = conv->params->tables.weights,
        .origin = 0u,
    };
    job->segments = &segment;
    job->segments_end = job->segments + 1;
    mcubnn_f2c_run(job, &conv->params->tables, threshold_class, segment.count, unset);
}

mcubnn_status mcubnn_binary_conv2d_f2c_pixel(const mcubnn_context *context,
                                             const mcubnn_binary_conv2d_f2c_pixel_params *params,
                                             const uint32_t *input, void *output) {
    if (params == NULL || input == NULL || output == NULL || !mcubnn_f2c_conv2d_is_valid(params)) {
        return MCUBNN_ERROR_ARGUMENT;
    }
    const mcubnn_window *window = &params->window;
    const mcubnn_bit_max_pool_params *pool = params->pool;
    const mcubnn_dims *map = &params->output;
    const uint32_t pooled_channels = mcubnn_f2c_pooled_channels(params);
    const uint32_t scratch_bytes = MCUBNN_BINARY_CONV2D_F2C_PIXEL_SCRATCH_BYTES(
        window->kernel_height, window->kernel_width, params->input.channels, pooled_channels);
    if (!mcubnn_f2c_scratch_is_valid(context, scratch_bytes)) {
        return MCUBNN_ERROR_SCRATCH;
    }
    uint32_t *pad_pixel = (uint32_t *)context->buffer;
    uint32_t *pixel = mcubnn_f2c_fill_pad_pixel(params, pad_pixel);
    uint16_t *starts = (uint16_t *)(pixel + mcubnn_words_for(pooled_channels));
    const convolution conv = {
        .params = params,
        .input = input,
        .map = mcubnn_f2c_map_of(params),
        .channels = mcubnn_f2c_entries_for(params->input.channels),
        .pad_pixel = pad_pixel,
        .starts = starts,
        .entries = starts + window->kernel_width,
    };
    mcubnn_f2c_job job;
    const uint32_t kernel_taps = (uint32_t)window->kernel_height * window->kernel_width;
    mcubnn_f2c_job_init(&job, NULL, &params->tables, kernel_taps * conv.channels, map->channels,
                        pool == NULL ? (uint32_t *)output : pixel);
    mcubnn_pool_begin(pool, (uint32_t *)output);
    mcubnn_patch patch;
    mcubnn_pool_walk rows = mcubnn_pool_rows(pool, map);
    for (; rows.at < map->height; mcubnn_pool_step(&rows)) {
        patch.rows = mcubnn_f2c_rows(&conv.map, window, rows.at);
        const uint32_t row_class = params->row_class == NULL ? 0u : params->row_class[rows.at];
        mcubnn_pool_walk columns = mcubnn_pool_columns(pool, map);
        for (; columns.at < map->width; mcubnn_pool_step(&columns)) {
            const uint32_t x = columns.at;
            patch.columns = mcubnn_f2c_columns(&conv.map, window, x);
            const uint32_t column_class = params->row_class == NULL ? 0u : params->column_class[x];
            convolve_pixel(&conv, &patch, row_class + column_class, &job);
            mcubnn_f2c_pixel_done(&job, pool, &rows, &columns, (uint32_t *)output);
        }
    }
    return MCUBNN_SUCCESS;
}
