/*
 * crc32c.h - CRC-32C (Castagnoli, reflected; RFC 3720 appendix B.4).  Floor: base.  Thread-safe.
 */
#ifndef HL_BASE_CRC32C_H
#define HL_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* CRC of what crc covered followed by these n bytes; crc of nothing is 0. */
uint32_t hl_crc32c(uint32_t crc, const void *data, size_t n);
/* The same without the CPU's instruction: the other's reference. */
uint32_t hl_crc32c_table(uint32_t crc, const void *data, size_t n);

#endif
