#include "mcubnn/binary_conv2d_f2c_rows.h"

#include "check.h"
#include "f2c_conv2d.h"

/** The lists of one row of the map. */
typedef struct {
    const uint16_t *entries;
    const uint16_t *entries_end;
    const uint16_t *starts;  /**< set entries before each column */
    const uint32_t *weights; /**< of the window's row that lies here, all its columns */
} listed_row;

/** What a call keeps. */
typedef struct {
    const mcubnn_binary_conv2d_f2c_rows_params *params;
    const uint32_t *input;
    uint32_t *output;
    mcubnn_f2c_map map;
    uint32_t channels;         /**< entry channels */
    const uint32_t *pad_pixel; /**< one pixel of padding */
    uint16_t *starts;          /**< [kernel_height][map.width + 1] */
    uint16_t *entries;         /**< [kernel_height][map.width * channels] */
    uint32_t next_row;         /**< the first row without lists */
} convolution;

/** Where the lists of a row are kept: the rows under one window have different places. */
static uint32_t slot_of(const convolution *conv, uint32_t row) {
    return row % conv->params->window.kernel_height;
}

/** Enter padding into lists. */
static void list_padding(const convolution *conv, mcubnn_f2c_lists *lists, uint32_t pixels) {
    for (uint32_t i = 0u; i < pixels; ++i) {
        mcubnn_f2c_list(lists, conv->pad_pixel, 1u, conv->channels / 4u);
    }
}

/** Enter a row of the map into its lists. */
static void list_row(const convolution *conv, uint32_t row) {
    const mcubnn_f2c_map *map = &conv->map;
    const uint32_t row_entries = map->width * conv->channels;
    uint16_t *entries = conv->entries + (slot_of(conv, row) * row_entries);
    uint16_t *starts = conv->starts + (slot_of(conv, row) * (map->width + 1u));
    mcubnn_f2c_lists lists = {
        .entries = entries,
        .set_end = entries,
        .unset_begin = entries + row_entries,
        .starts = starts + 1,
        .next = 0u,
    };
    starts[0] = 0u;
    const mcubnn_dims *input = &conv->params->input;
    if (row < map->border_top || row - map->border_top >= input->height) {
        list_padding(conv, &lists, map->width);
        return;
    }
    list_padding(conv, &lists, map->border_left);
    const uint32_t rest = map->width - map->border_left;
    const uint32_t inside = rest < input->width ? rest : input->width;
    if (inside > 0u) {
        const uint32_t pixel = (row - map->border_top) * input->width;
        mcubnn_f2c_list(&lists, conv->input + (pixel * mcubnn_words_for(input->channels)), inside,
                        conv->channels / 4u);
    }
    list_padding(conv, &lists, rest - inside);
}

/** Complete the lists of the rows under the window and say where they are. */
static void list_rows(convolution *conv, const mcubnn_taps *taps, listed_row *rows) {
    const uint32_t row_entries = conv->map.width * conv->channels;
    const uint32_t row_weights = conv->params->window.kernel_width * conv->channels;
    for (uint32_t i = 0u; i < taps->end - taps->begin; ++i) {
        const uint32_t row = taps->start + i;
        if (row >= conv->next_row) {
            list_row(conv, row);
            conv->next_row = row + 1u;
        }
        const uint32_t slot = slot_of(conv, row);
        rows[i].entries = conv->entries + (slot * row_entries);
        rows[i].entries_end = rows[i].entries + row_entries;
        rows[i].starts = conv->starts + (slot * (conv->map.width + 1u));
        rows[i].weights = conv->params->tables.weights + ((taps->begin + i) * row_weights);
    }
}

/** The columns of the lists under one window. */
typedef struct {
    uint32_t first;
    uint32_t end;
    uint32_t weights; /**< entry channels of the window's columns left of the map */
    uint32_t entries; /**< in one row */
} listed_columns;

/** Segments of the set entries; returns how many entries there are. */
static uint32_t select_set(const listed_row *row, const listed_columns *columns, uint32_t origin,
                           mcubnn_f2c_segment *segments, const mcubnn_f2c_segment *segments_end) {
    uint32_t total = 0u;
    for (mcubnn_f2c_segment *segment = segments; segment != segments_end; ++segment) {
        const uint32_t begin = row->starts[columns->first];
        segment->entries = row->entries + begin;
        segment->count = row->starts[columns->end] - begin;
        segment->weights = row->weights + columns->weights;
        segment->origin = origin;
        total += segment->count;
        ++row;
    }
    return total;
}

/** Segments of the unset entries instead: left of a column lie all entries but the set ones, and
 *  they are written downwards from the end.
 */
static void select_unset(const listed_row *row, const listed_columns *columns, uint32_t end_entry,
                         mcubnn_f2c_segment *segments, const mcubnn_f2c_segment *segments_end) {
    for (mcubnn_f2c_segment *segment = segments; segment != segments_end; ++segment) {
        segment->entries = row->entries_end - (end_entry - row->starts[columns->end]);
        segment->count = columns->entries - segment->count;
        ++row;
    }
}

/** One row of the output, or of the map in front of the pool. */
static void convolve_row(const convolution *conv, const listed_row *rows, uint32_t row_count,
                         const mcubnn_pool_walk *row, mcubnn_f2c_job *job) {
    const mcubnn_binary_conv2d_f2c_rows_params *params = conv->params;
    const mcubnn_bit_max_pool_params *pool = params->pool;
    const uint32_t row_class = params->row_class == NULL ? 0u : params->row_class[row->at];
    const uint32_t channels = conv->channels;
    mcubnn_f2c_segment segments[MCUBNN_BINARY_CONV2D_F2C_ROWS_MOST_ROWS];
    mcubnn_f2c_segment *segments_end = segments + row_count;
    job->segments = segments;
    job->segments_end = segments_end;
    mcubnn_pool_walk place = mcubnn_pool_columns(pool, &params->output);
    for (; place.at < params->output.width; mcubnn_pool_step(&place)) {
        const uint32_t x = place.at;
        const mcubnn_taps taps = mcubnn_f2c_columns(&conv->map, &params->window, x);
        const uint32_t width = taps.end - taps.begin;
        const listed_columns columns = {
            .first = taps.start,
            .end = taps.start + width,
            .weights = taps.begin * channels,
            .entries = width * channels,
        };
        const uint32_t origin = taps.start * channels;
        uint32_t count = select_set(rows, &columns, origin, segments, segments_end);
        const uint32_t all = row_count * columns.entries;
        const uint32_t unset = 2u * count > all ? 1u : 0u;
        if (unset != 0u) {
            select_unset(rows, &columns, origin + columns.entries, segments, segments_end);
            count = all - count;
        }
        const uint32_t column_class = params->row_class == NULL ? 0u : params->column_class[x];
        mcubnn_f2c_run(job, &params->tables, row_class + column_class, count, unset);
        mcubnn_f2c_pixel_done(job, pool, row, &place, conv->output);
    }
}

static bool params_are_valid(const mcubnn_binary_conv2d_f2c_rows_params *params,
                             const mcubnn_f2c_map *map) {
    const uint32_t channels = mcubnn_f2c_entries_for(params->input.channels);
    return mcubnn_f2c_conv2d_is_valid(params) && params->window.dilation_height == 1u &&
           params->window.dilation_width == 1u &&
           params->window.kernel_height <= MCUBNN_BINARY_CONV2D_F2C_ROWS_MOST_ROWS &&
           mcubnn_f2c_product(map->width, channels) < MCUBNN_F2C_MOST_ENTRIES;
}

mcubnn_status mcubnn_binary_conv2d_f2c_rows(const mcubnn_context *context,
                                            const mcubnn_binary_conv2d_f2c_rows_params *params,
                                            const uint32_t *input, void *output) {
    if (params == NULL || input == NULL || output == NULL) {
        return MCUBNN_ERROR_ARGUMENT;
    }
    const mcubnn_window *window = &params->window;
    const mcubnn_f2c_map map = mcubnn_f2c_map_of(params);
    if (!params_are_valid(params, &map)) {
        return MCUBNN_ERROR_ARGUMENT;
    }
    const mcubnn_bit_max_pool_params *pool = params->pool;
    const uint32_t pooled_channels = mcubnn_f2c_pooled_channels(params);
    const uint32_t scratch_bytes = MCUBNN_BINARY_CONV2D_F2C_ROWS_SCRATCH_BYTES(
        window->kernel_height, map.width, params->input.channels, pooled_channels);
    if (!mcubnn_f2c_scratch_is_valid(context, scratch_bytes)) {
        return MCUBNN_ERROR_SCRATCH;
    }
    uint32_t *pad_pixel = (uint32_t *)context->buffer;
    uint32_t *pixel = mcubnn_f2c_fill_pad_pixel(params, pad_pixel);
    uint16_t *starts = (uint16_t *)(pixel + mcubnn_words_for(pooled_channels));
    convolution conv = {
        .params = params,
        .input = input,
        .output = (uint32_t *)output,
        .map = map,
        .channels = mcubnn_f2c_entries_for(params->input.channels),
        .pad_pixel = pad_pixel,
        .starts = starts,
        .entries = starts + (window->kernel_height * (map.width + 1u)),
        .next_row = 0u,
    };
    listed_row rows[MCUBNN_BINARY_CONV2D_F2C_ROWS_MOST_ROWS];
    mcubnn_f2c_job job;
    const uint32_t kernel_taps = (uint32_t)window->kernel_height * window->kernel_width;
    mcubnn_f2c_job_init(&job, NULL, &params->tables, kernel_taps * conv.channels,
                        params->output.channels, pool == NULL ? conv.output : pixel);
    mcubnn_pool_begin(pool, conv.output);
    mcubnn_pool_walk row = mcubnn_pool_rows(pool, &params->output);
    for (; row.at < params->output.height; mcubnn_pool_step(&row)) {
        const mcubnn_taps taps = mcubnn_f2c_rows(&map, window, row.at);
        list_rows(&conv, &taps, rows);
        convolve_row(&conv, rows, taps.end - taps.begin, &row, &job);
    }
    return MCUBNN_SUCCESS;
}
