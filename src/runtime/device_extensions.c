/* SPDX-License-Identifier: MIT */
#include "runtime/device_facts.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Extensions' numbers: not every system's headers have them. */
enum {
    DEVICE_DOUBLE_FP_CONFIG = 0x1032,
    DEVICE_TOPOLOGY_AMD = 0x4037,
    TOPOLOGY_IS_PCIE_AMD = 1,
    DEVICE_PCI_BUS_ID_NV = 0x4008,
    DEVICE_PCI_SLOT_ID_NV = 0x4009,
    DEVICE_PCI_DOMAIN_ID_NV = 0x400A,
    DEVICE_UUID_KHR = 0x106A,
    DEVICE_PCI_BUS_INFO_KHR = 0x410F
};

/* Whole words: cl_intel_subgroups is the beginning of cl_intel_subgroups_short. */
bool clnorm_device_has_extension(const struct device_facts *facts, const char *name)
{
    const size_t length = strlen(name);
    for (const char *word = facts->extensions; *word; word += strcspn(word, " ")) {
        word += strspn(word, " ");
        if (strcspn(word, " ") == length && strncmp(word, name, length) == 0)
            return true;
    }
    return false;
}

static void read_uuid(cl_device_id id, clnorm_device *device)
{
    unsigned char uuid[16] = {0};
    static const unsigned char zero[16];
    if (clGetDeviceInfo(id, DEVICE_UUID_KHR, sizeof(uuid), uuid, NULL) != CL_SUCCESS)
        return;
    /* Devices of PoCL-Remote all have the UUID 0. */
    if (memcmp(uuid, zero, sizeof(zero)) == 0)
        return;
    for (size_t i = 0; i < sizeof(uuid); i++)
        snprintf(device->uuid + 2 * i, 3, "%02x", uuid[i]);
}

/* domain, bus, device, function */
struct pci {
    cl_uint part[4];
};

static bool pci_khr(cl_device_id id, struct pci *pci)
{
    return clGetDeviceInfo(id, DEVICE_PCI_BUS_INFO_KHR, sizeof(*pci), pci, NULL) == CL_SUCCESS;
}

static bool pci_amd(cl_device_id id, struct pci *pci)
{
    struct {
        cl_uint type;
        unsigned char unused[17], bus, device, function;
    } topology;
    if (clGetDeviceInfo(id, DEVICE_TOPOLOGY_AMD, sizeof(topology), &topology, NULL) != CL_SUCCESS ||
        topology.type != TOPOLOGY_IS_PCIE_AMD)
        return false;
    *pci = (struct pci){{0, topology.bus, topology.device, topology.function}};
    return true;
}

static bool pci_nvidia(cl_device_id id, struct pci *pci)
{
    cl_uint domain = 0, bus = 0, slot = 0;
    if (clGetDeviceInfo(id, DEVICE_PCI_BUS_ID_NV, sizeof(bus), &bus, NULL) != CL_SUCCESS ||
        clGetDeviceInfo(id, DEVICE_PCI_SLOT_ID_NV, sizeof(slot), &slot, NULL) != CL_SUCCESS)
        return false;
    if (clGetDeviceInfo(id, DEVICE_PCI_DOMAIN_ID_NV, sizeof(domain), &domain, NULL) != CL_SUCCESS)
        domain = 0;
    *pci = (struct pci){{domain, bus, slot >> 3, slot & 7}};
    return true;
}

static const struct {
    const char *extension;
    bool (*read)(cl_device_id id, struct pci *pci);
} pci_sources[] = {
    {"cl_khr_pci_bus_info", pci_khr},
    {"cl_amd_device_attribute_query", pci_amd},
    {"cl_nv_device_attribute_query", pci_nvidia},
};

static void read_pci(cl_device_id id, const struct device_facts *facts, clnorm_device *device)
{
    for (size_t i = 0; i < COUNT(pci_sources) && !device->pci[0]; i++) {
        struct pci pci = {{0}};
        if (!clnorm_device_has_extension(facts, pci_sources[i].extension) ||
            !pci_sources[i].read(id, &pci))
            continue;
        const cl_uint *part = pci.part;
        if (part[0] || part[1] || part[2] || part[3])
            snprintf(device->pci, sizeof(device->pci), "%04x:%02x:%02x.%x", (unsigned)part[0],
                     (unsigned)part[1] & 0xff, (unsigned)part[2] & 0x1f, (unsigned)part[3] & 7);
    }
}

bool clnorm_device_is_embedded(const struct device_facts *facts)
{
    return strcmp(facts->profile, "EMBEDDED_PROFILE") == 0;
}

void clnorm_device_read_extensions(clnorm_device *device, const struct device_facts *facts)
{
    const cl_device_id id = device->device_id;
    device->has_fp16 = clnorm_device_has_extension(facts, "cl_khr_fp16");
    device->has_fp64 = clnorm_device_has_extension(facts, "cl_khr_fp64");
    cl_device_fp_config config = 0;
    /* Embedded devices may have double without the word. */
    if (clnorm_device_is_embedded(facts) &&
        clGetDeviceInfo(id, DEVICE_DOUBLE_FP_CONFIG, sizeof(config), &config, NULL) == CL_SUCCESS)
        device->has_fp64 |= config != 0;
    if (clnorm_device_has_extension(facts, "cl_khr_device_uuid"))
        read_uuid(id, device);
    read_pci(id, facts, device);
}
