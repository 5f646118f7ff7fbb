/*
 * Integers in network order, read and written byte by byte, so that neither
 * alignment nor the machine's byte order matters. No bounds are checked here:
 * these are the atoms of the codecs, which do.
 */
#ifndef LANCHAT_BYTES_H
#define LANCHAT_BYTES_H

#include <stdint.h>

static inline uint16_t bytes_u16(const uint8_t *p)
{
	return (uint16_t)((uint32_t)p[0] << 8 | p[1]);
}

static inline uint32_t bytes_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t bytes_u64(const uint8_t *p)
{
	return (uint64_t)bytes_u32(p) << 32 | bytes_u32(p + 4);
}

static inline void bytes_put_u16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void bytes_put_u32(uint8_t *p, uint32_t v)
{
	bytes_put_u16(p, (uint16_t)(v >> 16));
	bytes_put_u16(p + 2, (uint16_t)v);
}

static inline void bytes_put_u64(uint8_t *p, uint64_t v)
{
	bytes_put_u32(p, (uint32_t)(v >> 32));
	bytes_put_u32(p + 4, (uint32_t)v);
}

#endif
