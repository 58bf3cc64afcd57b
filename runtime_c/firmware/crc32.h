/** @file crc32.h
 *  CRC-32 as in zlib, PNG and Ethernet: polynomial 0x04C11DB7, reflected, inverted at both ends.
 */
#ifndef MCUBNN_CRC32_H
#define MCUBNN_CRC32_H

#include <stdint.h>

/** Extends a CRC by one byte. The CRC of no bytes is 0; calls chain like zlib's crc32(). */
uint32_t mcubnn_crc32(uint32_t crc, uint8_t byte);

#endif
