/* SPDX-License-Identifier: MIT */

/* VEC pixels of a row from c on, as numbers from 0 to 1. */
void convert_block(global const uchar *from, global float *to, uint c, uint cols)
{
    if (c + VEC <= cols)
        store(JOIN(convert_float, VEC)(load(0, from + c)) / 255, 0, to + c);
    else
        for (; c < cols; c++)
            to[c] = from[c] / 255.0f;
}

/* A batch from the images on the device: row r of x is image order[first + r], or first + r without
 * an order; labels are those of the images. */
kernel void gather(global const uchar *images, global const uchar *classes,
                   global const uint *order, uint first, global float *x, global uint *labels,
                   uint rows, uint cols)
{
#if STRETCHES
    const uint parts = 1;
#else
    const uint parts = (cols + VEC - 1) / VEC; /* work-items of a row */
#endif
    EACH(j, rows * parts)
    {
        const uint r = j / parts, part = j % parts;
        const uint image = order ? order[first + r] : first + r;
        for (uint c = part * VEC; c < cols; c += parts * VEC)
            convert_block(images + (size_t)image * cols, x + (size_t)r * cols, c, cols);
        if (part == 0)
            labels[r] = classes[image];
    }
}
