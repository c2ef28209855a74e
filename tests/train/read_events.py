#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the events of a TensorBoard file, one JSON object a line.

    read_events.py FILE [--with-tensorboard]

Reads the records by hand (checksums bit by bit) and the messages with protobuf, from descriptions
of the fields that are used; or, to be sure of both, with the package tensorboard.
"""

import json
import struct
import sys

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

Field = descriptor_pb2.FieldDescriptorProto
MESSAGES = {  # message: {field: (number, type, message or None)}
    "SessionLog": {"status": (1, Field.TYPE_INT32, None)},
    "Value": {"tag": (1, Field.TYPE_STRING, None), "simple_value": (2, Field.TYPE_FLOAT, None)},
    "Summary": {"value": (1, Field.TYPE_MESSAGE, "Value")},
    "Event": {
        "wall_time": (1, Field.TYPE_DOUBLE, None),
        "step": (2, Field.TYPE_INT64, None),
        "file_version": (3, Field.TYPE_STRING, None),
        "summary": (5, Field.TYPE_MESSAGE, "Summary"),
        "session_log": (7, Field.TYPE_MESSAGE, "SessionLog"),
    },
}


def event_class():
    file = descriptor_pb2.FileDescriptorProto(name="event.proto", package="t", syntax="proto3")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind, of) in fields.items():
            repeated = (name, field) == ("Summary", "value")
            message.field.add(
                name=field, number=number, type=kind, type_name=f".t.{of}" if of else None,
                label=Field.LABEL_REPEATED if repeated else Field.LABEL_OPTIONAL)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("t.Event"))


def masked_crc(data):
    rest = 0xFFFFFFFF
    for byte in data:
        for bit in range(8):
            carry = (rest ^ byte >> bit) & 1
            rest = rest >> 1 ^ (0x82F63B78 if carry else 0)
    crc = rest ^ 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(path):
    with open(path, "rb") as file:
        data = file.read()
    at = 0
    while at < len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        (length_crc,) = struct.unpack_from("<I", data, at + 8)
        message = data[at + 12:at + 12 + length]
        (message_crc,) = struct.unpack_from("<I", data, at + 12 + length)
        assert length_crc == masked_crc(data[at:at + 8]), "checksum of a length"
        assert message_crc == masked_crc(message), "checksum of a message"
        yield message
        at += 16 + length


def events(path, with_tensorboard):
    if with_tensorboard:
        from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader
        yield from LegacyEventFileLoader(path).Load()
        return
    event = event_class()
    for record in records(path):
        yield event.FromString(record)


for one in events(sys.argv[1], "--with-tensorboard" in sys.argv):
    print(json.dumps({
        "step": one.step, "version": one.file_version, "status": one.session_log.status,
        "timed": one.wall_time > 1.6e9,
        "values": [[v.tag, v.simple_value] for v in one.summary.value]}))
