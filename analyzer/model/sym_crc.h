/*
 * sym_crc.h - the CRC of .gnu_debuglink.  Floor: model.
 * Source: GDB manual, "Debugging Information in Separate Files": CRC-32 of IEEE 802.3, reflected.
 */
#ifndef HL_MODEL_SYM_CRC_H
#define HL_MODEL_SYM_CRC_H

#include <stdint.h>

/* Of the whole file; moves no file offset.  0, or -1 when it cannot be read. */
int hl_crc32_fd(int fd, uint32_t *crc);

#endif
