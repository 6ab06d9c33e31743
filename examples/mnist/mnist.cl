/* SPDX-License-Identifier: MIT */
/* A batch from the images on the device: row r of x is image order[first + r], or first + r without
 * an order, as numbers from 0 to 1; labels are those of the images. */
kernel void gather(global const uchar *images, global const uchar *classes,
                   global const uint *order, uint first, global float *x, global uint *labels,
                   uint rows, uint cols)
{
    const uint blocks = (cols + VEC - 1) / VEC;
    EACH(j, rows * blocks)
    {
        const uint r = j / blocks, c = j % blocks * VEC;
        const uint image = order ? order[first + r] : first + r;
        global const uchar *from = images + (size_t)image * cols + c;
        global float *to = x + (size_t)r * cols + c;
        if (c + VEC <= cols)
            store(JOIN(convert_float, VEC)(load(0, from)) / 255, 0, to);
        else
            for (uint i = 0; c + i < cols; i++)
                to[i] = from[i] / 255.0f;
        if (c == 0)
            labels[r] = classes[image];
    }
}
