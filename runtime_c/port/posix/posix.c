/** @file posix.c
 *  Port for the computer itself: the byte stream is stdin and stdout.
 *
 *  Input is read in blocks to save system calls; read() returns what has arrived, so a block never
 *  waits for bytes that the other side has not sent yet.
 */
#include <stdlib.h>
#include <unistd.h>

#include "port.h"

void mcubnn_port_init(void) {
}

int32_t mcubnn_port_read(void) {
    static uint8_t block[4096];
    static size_t count;
    static size_t next;
    if (next == count) {
        const ssize_t received = read(STDIN_FILENO, block, sizeof(block));
        if (received <= 0) {
            return MCUBNN_PORT_END;
        }
        count = (size_t)received;
        next = 0u;
    }
    const int32_t byte = (int32_t)block[next];
    next++;
    return byte;
}

void mcubnn_port_write(const uint8_t *data, uint32_t length) {
    uint32_t sent = 0u;
    while (sent < length) {
        const ssize_t count = write(STDOUT_FILENO, data + sent, (size_t)(length - sent));
        if (count <= 0) {
            exit(EXIT_FAILURE); /* the reader is gone */
        }
        sent += (uint32_t)count;
    }
}

uint32_t mcubnn_port_ticks(void) {
    return 0u;
}

uint32_t mcubnn_port_tick_hz(void) {
    return 0u;
}

void mcubnn_port_fault(void) {
    abort();
}
