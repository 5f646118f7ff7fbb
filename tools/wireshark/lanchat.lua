-- The dissector: it goes by the tables above and knows no message by itself. docs/PROTOCOL.md is the
-- protocol, docs/WIRESHARK.md how this is used.
--
--   frames    over TCP, one after the other; over UDP, one in each datagram
--   beacons   over UDP, 192 bytes each
--
-- Everything in a packet is hostile. What breaks the protocol is shown as far as it goes, with an expert
-- item that says what is wrong.

local HEADER = 8
local MAGIC = "LCB1"
local PORT_TYPE_UDP = 3

local lanchat = Proto("lanchat", "lanchat")
local beacon = Proto("lanchat.beacon", "lanchat beacon")

-- ---- what may be wrong ----

local function malformed(name, text)
	return ProtoExpert.new(name, text, expert.group.MALFORMED, expert.severity.ERROR)
end

local EXPERTS = {
	length = malformed("lanchat.wrong.length", "the frame's length"),
	flags = malformed("lanchat.wrong.flags", "an undefined flag"),
	type = malformed("lanchat.wrong.type", "an unknown message"),
	truncated = malformed("lanchat.wrong.truncated", "the payload ends early"),
	left_over = malformed("lanchat.wrong.left_over", "bytes are left over"),
	bounds = malformed("lanchat.wrong.bounds", "out of bounds"),
	text = malformed("lanchat.wrong.text", "text that is not clean"),
	skipped = ProtoExpert.new("lanchat.skipped", "an unknown message, to be passed over",
		expert.group.UNDECODED, expert.severity.NOTE),
	refused = ProtoExpert.new("lanchat.refused", "a refusal", expert.group.RESPONSE_CODE,
		expert.severity.NOTE),
}
lanchat.experts = EXPERTS
local BEACON_EXPERT = malformed("lanchat.beacon.wrong", "not as it should be")
beacon.experts = { BEACON_EXPERT }

-- ---- text ----

local function continued(text, first, last)
	for at = first, last do
		local byte = text:byte(at)
		if not byte or byte < 0x80 or byte > 0xbf then return false end
	end
	return true
end

-- The code point at `at` and its size; nil where it is not UTF-8 as of RFC 3629.
local function code_point(text, at)
	local byte, second = text:byte(at, at + 1)
	local size, code, least
	if byte < 0x80 then return byte, 1 end
	if byte >= 0xc0 and byte < 0xe0 then size, code, least = 2, byte - 0xc0, 0x80
	elseif byte >= 0xe0 and byte < 0xf0 then size, code, least = 3, byte - 0xe0, 0x800
	elseif byte >= 0xf0 and byte < 0xf8 then size, code, least = 4, byte - 0xf0, 0x10000
	else return nil end
	if not second or not continued(text, at + 1, at + size - 1) then return nil end
	for i = at + 1, at + size - 1 do code = code * 64 + text:byte(i) - 0x80 end
	if code < least or code > 0x10ffff or (code >= 0xd800 and code <= 0xdfff) then return nil end
	return code, size
end

-- What text may not have: docs/PROTOCOL.md 3.1.
local UNCLEAN = {
	{ 0x00, 0x1f }, { 0x7f, 0x9f }, { 0x2028, 0x2029 }, { 0x202a, 0x202e }, { 0x2066, 0x2069 },
	{ 0xfdd0, 0xfdef },
}

-- Of names a blank is noticed, and no more: the other rules for them take Unicode's tables.
local function is_unclean(code, kind)
	if kind == "block" and code == 0x0a then return false end
	if kind == "name" and code == 0x20 then return true end
	for _, range in ipairs(UNCLEAN) do
		if code >= range[1] and code <= range[2] then return true end
	end
	return code % 0x10000 >= 0xfffe
end

-- The text as it can be shown; and nil for clean text, else what is wrong first. What is not clean is shown
-- as U+FFFD. (TvbRange:string() of Wireshark 4.0 cuts text in which it has replaced something.)
local function readable(text, kind)
	local parts, at, wrong = {}, 1, nil
	while at <= #text do
		local code, size = code_point(text, at)
		if code and not is_unclean(code, kind) then
			parts[#parts + 1] = text:sub(at, at + size - 1)
		else
			local what = code and string.format("U+%04X", code) or "no UTF-8"
			parts[#parts + 1] = "\239\191\189"
			wrong = wrong or string.format("%s at byte %d", what, at - 1)
		end
		at = at + (size or 1)
	end
	return table.concat(parts), wrong
end

-- Wireshark cuts a heading at 240 bytes and a line at 4096, be it within a character.
local HEADING_MAX = 180
local TOLD_MAX = 1000 -- of one frame in a line
local LINE_MAX = 3800

-- So much of a text that is UTF-8.
local function shorten(text, size)
	if #text <= size then return text end
	local last = size
	while last > 0 and continued(text, last + 1, last + 1) do last = last - 1 end
	return text:sub(1, last) .. "…"
end

-- ---- fields ----

local SIZES = { u8 = 1, u16 = 2, u32 = 4, u64 = 8, id16 = 16, id32 = 32 }
local SORTS = {
	u8 = "number", u16 = "number", u32 = "number", u64 = "number", id16 = "bytes", id32 = "bytes",
	name = "text", line = "text", block = "text", list = "number",
}
local INTEGERS = { [1] = ProtoField.uint8, [2] = ProtoField.uint16, [4] = ProtoField.uint32,
	[8] = ProtoField.uint64 }

local function width(field)
	return SIZES[field.kind] or 2
end

-- Call `with` for every field of messages and items.
local function each_field(with)
	for _, lists in ipairs({ MESSAGES, ITEMS }) do
		for _, list in pairs(lists) do
			for _, field in ipairs(list) do with(field) end
		end
	end
end

local function time_field(field)
	return field.values == "time"
end

local function new_field(field, widest)
	local sort = SORTS[field.kind]
	if sort == "text" then return ProtoField.string(field.filter, field.name) end
	if sort == "bytes" then return ProtoField.bytes(field.filter, field.name) end
	if time_field(field) then return ProtoField.absolute_time(field.filter, field.name, base.UTC) end
	local shown = BITS[field.values] and base.HEX or base.DEC
	return INTEGERS[widest](field.filter, field.name, shown, VALUES[field.values])
end

-- Fields with one filter are one field for Wireshark, as wide as the widest.
local function register()
	local widest, made, list = {}, {}, {}
	each_field(function(field)
		assert(not field.values or VALUES[field.values] or BITS[field.values] or time_field(field))
		widest[field.filter] = math.max(widest[field.filter] or 0, width(field))
	end)
	each_field(function(field)
		if not made[field.filter] then
			made[field.filter] = new_field(field, widest[field.filter])
			list[#list + 1] = made[field.filter]
		end
		field.shown = made[field.filter]
	end)
	return list
end

local TYPE_NAMES = {}
for number, message in pairs(MESSAGES) do TYPE_NAMES[number] = message.name end

local fields = register()
local function header_field(field)
	fields[#fields + 1] = field
	return field
end
local LENGTH = header_field(ProtoField.uint32("lanchat.length", "length"))
local TYPE = header_field(ProtoField.uint16("lanchat.type", "type", base.HEX, TYPE_NAMES))
local HEADER_FLAGS = header_field(ProtoField.uint16("lanchat.header_flags", "header flags", base.HEX))
local PAYLOAD = header_field(ProtoField.bytes("lanchat.payload", "payload"))
local ID = header_field(ProtoField.string("lanchat.id", "id"))
lanchat.fields = fields

-- The names of a number's bits, for behind it: " (ANY_NICK)".
local function bits_text(set, value)
	local names = {}
	for bit, name in pairs(BITS[set]) do
		if math.floor(value / bit) % 2 == 1 then names[#names + 1] = name end
	end
	table.sort(names)
	return #names > 0 and " (" .. table.concat(names, ", ") .. ")" or ""
end

-- ---- a payload ----
--
-- A walk has the bytes (tvb), where it is (at), where the payload ends (stop), how many faults it found,
-- and what it saw of the message's own fields, by name. Without a tree it only checks.

local function complain(walk, tree, expert_info, text)
	walk.faults = walk.faults + 1
	if tree then tree:add_proto_expert_info(expert_info, text) end
end

-- Are there so many bytes more? Where the capture is what ends early, nothing is the peer's fault.
local function has(walk, tree, size, name)
	if walk.stop - walk.at >= size then return true end
	if walk.cut and tree then
		tree:append_text(" [the capture has no more of it]")
	else
		complain(walk, tree, EXPERTS.truncated, "the payload ends early, in " .. name)
	end
	return false
end

local function check_bounds(walk, item, field, size)
	if size < field.least or size > field.most then
		complain(walk, item, EXPERTS.bounds, string.format("%s has %d; it may have %d to %d",
			field.name, size, field.least, field.most))
	end
end

local function walk_number(walk, field, tree)
	local size = width(field)
	local range = walk.tvb(walk.at, size)
	walk.at = walk.at + size
	local value = size == 8 and range:uint64() or range:uint()
	if not tree then return value end
	if time_field(field) then
		local seconds, rest = value / 1000000, value % 1000000
		tree:add(field.shown, range, NSTime.new(seconds:tonumber(), rest:tonumber() * 1000))
	else
		local item = tree:add(field.shown, range)
		if BITS[field.values] then item:append_text(bits_text(field.values, value)) end
		if field.values == "code" and SENTENCES[value] then
			item:append_text(": " .. SENTENCES[value])
		end
	end
	return value
end

local function walk_bytes(walk, field, tree)
	local range = walk.tvb(walk.at, width(field))
	walk.at = walk.at + width(field)
	if tree then tree:add(field.shown, range) end
	return range
end

-- What is marked in the bytes is the text with the length before it.
local function walk_text(walk, field, tree)
	local size = walk.tvb(walk.at, 2):uint()
	if not has(walk, tree, 2 + size, field.name) then return nil end
	local range = walk.tvb(walk.at, 2 + size)
	local text, wrong = readable(size > 0 and range(2):raw() or "", field.kind)
	local item = tree and tree:add(field.shown, range, text)
	walk.at = walk.at + 2 + size
	check_bounds(walk, item, field, size)
	if wrong then complain(walk, item, EXPERTS.text, field.name .. " is not clean: " .. wrong) end
	return text
end

local walk_fields

local function walk_list(walk, field, tree)
	local range = walk.tvb(walk.at, 2)
	local count = range:uint()
	local list = tree and tree:add(field.shown, range)
	walk.at = walk.at + 2
	check_bounds(walk, list, field, count)
	for i = 1, count do
		local first = walk.at
		local item = list and list:add(walk.tvb(first, 0), field.item .. " " .. i)
		local whole, seen = walk_fields(walk, ITEMS[field.item], item)
		if item then
			item:set_len(walk.at - first)
			local name = seen.nick or seen.name or seen.room or seen.label
			if name and name ~= "" then item:append_text(": " .. shorten(name, HEADING_MAX)) end
		end
		if not whole then return nil end
	end
	return count
end

local WALKS = { number = walk_number, bytes = walk_bytes, text = walk_text }

-- False where it ended early; and what it saw.
function walk_fields(walk, list, tree)
	local seen = {}
	for _, field in ipairs(list) do
		if not has(walk, tree, width(field), field.name) then return false, seen end
		local step = field.kind == "list" and walk_list or WALKS[SORTS[field.kind]]
		local value = step(walk, field, tree)
		if value == nil then return false, seen end
		seen[field.name] = value
	end
	if tree and seen.instance and seen.counter then
		local id = seen.instance:bytes():tohex(true) .. ":" .. tostring(seen.counter)
		tree:add(ID, seen.instance, id):set_generated()
	end
	return true, seen
end

-- Walk the payload that begins at `at` and should end at `stop`. The walk, and what was seen.
local function walk_payload(message, tvb, at, stop, tree)
	local walk = { tvb = tvb, at = at, stop = math.min(stop, tvb:len()), faults = 0,
		cut = tvb:len() < stop and tvb:len() < tvb:reported_len() }
	local whole, seen = walk_fields(walk, message, tree)
	if whole and walk.at < stop then
		complain(walk, tree, EXPERTS.left_over,
			string.format("%d bytes are left over", stop - walk.at))
	end
	return walk, seen
end

-- ---- one frame ----

local SECRET = { password = true, key = true }

-- What a field has to say in a line, if anything.
local function told(field, value)
	local set = VALUES[field.values]
	if field.kind == "name" then return value ~= "" and value or nil end
	if field.kind == "list" then return value .. " " .. field.name end
	if set then return not (field.values == "said" and value == 0) and set[value] or nil end
	return nil
end

local function has_text(message)
	for _, field in ipairs(message) do
		if field.kind == "line" or field.kind == "block" then return true end
	end
	return false
end

-- "SAY #lobby: hello"; "ACK counter 43 seq 141". The room comes first and texts last; large numbers are
-- for messages that say nothing else.
local function summary(message, seen)
	local room = seen.room and seen.room ~= "" and " #" .. seen.room or ""
	local words, numbers, texts = {}, {}, {}
	for _, field in ipairs(message) do
		local value = seen[field.name]
		if value == nil or field.name == "room" or SECRET[field.name] then
			-- said already, or not here
		elseif field.kind == "line" or field.kind == "block" then
			if value ~= "" then texts[#texts + 1] = value end
		elseif field.kind == "u64" and not time_field(field) then
			numbers[#numbers + 1] = " " .. field.name .. " " .. tostring(value)
		elseif told(field, value) then
			words[#words + 1] = " " .. told(field, value)
		end
	end
	local line = message.name .. room .. table.concat(words) ..
		(has_text(message) and "" or table.concat(numbers)) ..
		(#texts > 0 and ": " .. table.concat(texts, ", ") or "")
	return (line:gsub("\n", " "))
end

-- Several frames of one packet stand side by side in its line, while there is room. `private` has how much
-- was told of this packet so far; it takes text alone.
local function tell(pinfo, text)
	local before = tonumber(pinfo.private["lanchat"])
	pinfo.cols.protocol = "LANCHAT"
	if not before then
		pinfo.cols.info:set(text)
	elseif before + #text < LINE_MAX then
		pinfo.cols.info:append(" | " .. text)
	elseif before < LINE_MAX then
		pinfo.cols.info:append(" | …")
		before = LINE_MAX
	end
	pinfo.cols.info:fence()
	pinfo.private["lanchat"] = tostring((before or 0) + #text + 3)
end

-- The first thing that is wrong with a header: the expert item and its text; nil where it is good.
local function header_fault(length, number, flags)
	if length > PAYLOAD_MAX then
		return EXPERTS.length, string.format("a payload of %.0f bytes; it may have %d", length, PAYLOAD_MAX)
	elseif flags > 1 then
		return EXPERTS.flags, "an undefined flag"
	elseif not MESSAGES[number] then
		return flags == 1 and EXPERTS.skipped or EXPERTS.type, "an unknown message"
	end
	return nil
end

local function show_header(tvb, tree)
	local node = tree:add(lanchat, tvb())
	local length, number, flags = tvb(0, 4):uint(), tvb(4, 2):uint(), tvb(6, 2):uint()
	node:add(LENGTH, tvb(0, 4))
	node:add(TYPE, tvb(4, 2))
	node:add(HEADER_FLAGS, tvb(6, 2)):append_text(bits_text("header", flags))
	local fault, text = header_fault(length, number, flags)
	if fault then node:add_proto_expert_info(fault, text) end
	return node, not fault
end

-- Show a frame; or, where its header cannot be one, all that there is. Its node in the tree.
local function dissect_frame(tvb, pinfo, tree)
	local length, number = tvb(0, 4):uint(), tvb(4, 2):uint()
	local node, good = show_header(tvb, tree)
	local message = MESSAGES[number]
	if not good then
		if tvb:len() > HEADER then node:add(PAYLOAD, tvb(HEADER)) end
		local name = message and message.name or string.format("0x%04x", number)
		node:append_text(", " .. name .. " [not understood]")
		tell(pinfo, name .. " [not understood]")
		return node
	end
	local walk, seen = walk_payload(message, tvb, HEADER, HEADER + length, node)
	local text, remark = summary(message, seen), walk.faults > 0 and " [malformed]" or ""
	local heading = shorten(text, HEADING_MAX)
	if message.name == "ERROR" or message.name == "REFUSED" then
		node:add_proto_expert_info(EXPERTS.refused, heading)
	end
	node:append_text(", " .. heading .. remark)
	tell(pinfo, shorten(text, TOLD_MAX) .. remark)
	return node
end

-- ---- what bytes belong to it ----

-- The size of the frame at `offset`. One that cannot be a frame has all that follows.
local function frame_size(tvb, _, offset)
	local length, flags = tvb(offset, 4):uint(), tvb(offset + 6, 2):uint()
	if length > PAYLOAD_MAX or flags > 1 then return tvb:reported_len() - offset end
	return HEADER + length
end

-- The least and the most bytes that a payload may have.
local function payload_bounds(list)
	local least, most = 0, 0
	for _, field in ipairs(list) do
		least, most = least + width(field), most + width(field)
		if SORTS[field.kind] == "text" then
			least, most = least + field.least, most + field.most
		elseif field.kind == "list" then
			local _, item_most = payload_bounds(ITEMS[field.item])
			most = most + field.most * item_most
		end
	end
	return least, math.min(most, PAYLOAD_MAX)
end

for _, message in pairs(MESSAGES) do
	message.least, message.most = payload_bounds(message)
end

-- Do the bytes begin with a frame that is right in all that can be checked? Of one that is not all here,
-- only the first of a connection is believed.
local function begins_with_frame(tvb)
	if tvb:len() < HEADER then return false end
	local length, message = tvb(0, 4):uint(), MESSAGES[tvb(4, 2):uint()]
	if not message or tvb(6, 2):uint() ~= 0 then return false end
	if length < message.least or length > message.most then return false end
	if tvb:len() < HEADER + length then return message.name == "HELLO" end
	return walk_payload(message, tvb, HEADER, HEADER + length, nil).faults == 0
end

local function is_one_frame(tvb)
	return begins_with_frame(tvb) and tvb:len() == HEADER + tvb(0, 4):uint()
end

-- A frame has to be the whole of its datagram.
local function dissect_datagram(tvb, pinfo, tree)
	if tvb:len() < HEADER then return 0 end
	local size = HEADER + tvb(0, 4):uint()
	local node = dissect_frame(tvb, pinfo, tree)
	if size <= HEADER + PAYLOAD_MAX and size ~= tvb:reported_len() then
		node:add_proto_expert_info(EXPERTS.length,
			string.format("a frame of %d bytes in a datagram of %d", size, tvb:reported_len()))
	end
	return tvb:len()
end

-- TLS has the same port. It is handed on and not refused: a connection that Wireshark once takes for TLS is
-- never shown to us again, and a server may answer a ClientHello with a frame (docs/PROTOCOL.md 2.1).
local TLS = Dissector.get("tls")
local tcp_stream = Field.new("tcp.stream")
local tls_streams = {} -- those that had a TLS record
local within_tls = false

function lanchat.init()
	tls_streams = {}
end

-- No frame begins with a byte other than 0, and no record with 0.
local function is_tls(tvb)
	local first, stream = tvb(0, 1):uint(), tcp_stream()
	if within_tls or not stream then return false end
	if first >= 20 and first <= 24 then tls_streams[stream.value] = true end
	return first ~= 0 and tls_streams[stream.value]
end

-- Each dissector on the way takes one from can_desegment, and at 0 nothing may be put together again.
local function dissect_tls(tvb, pinfo, tree)
	pinfo.can_desegment = pinfo.can_desegment + 1
	within_tls = true
	local good, result = pcall(TLS.call, TLS, tvb, pinfo, tree)
	within_tls = false
	return good and result or error(result, 0)
end

function lanchat.dissector(tvb, pinfo, tree)
	if pinfo.port_type == PORT_TYPE_UDP then return dissect_datagram(tvb, pinfo, tree) end
	if tvb:len() == 0 then return 0 end
	if is_tls(tvb) then return dissect_tls(tvb, pinfo, tree) end
	dissect_tcp_pdus(tvb, tree, HEADER, frame_size, function(pdu, pdu_pinfo, pdu_tree)
		dissect_frame(pdu, pdu_pinfo, pdu_tree)
		return pdu:len()
	end)
	return tvb:len()
end

-- ---- the beacon ----

local function beacon_number(name, size, shown, names)
	return INTEGERS[size]("lanchat.beacon." .. name, name, shown, names)
end

local BEACON_KIND = beacon_number("kind", 1, base.DEC, VALUES.beacon)
local BEACON_FLAGS = beacon_number("flags", 1, base.HEX)
local BEACON_FIELDS = {
	{ 6, 2, beacon_number("version_low", 2) }, { 8, 2, beacon_number("version_high", 2) },
	{ 10, 2, beacon_number("port", 2) }, { 12, 4, beacon_number("sequence", 4) },
	{ 16, 4, beacon_number("lifetime", 4) }, { 20, 4, beacon_number("people", 4) },
	{ 24, 4, beacon_number("people_max", 4) }, { 28, 8, ProtoField.bytes("lanchat.beacon.nonce", "nonce") },
	{ 36, 32, ProtoField.bytes("lanchat.beacon.server", "server") },
	{ 68, 16, ProtoField.bytes("lanchat.beacon.instance", "instance") },
}
local COMMITMENT = ProtoField.bytes("lanchat.beacon.commitment", "commitment")
local SECRET_FIELD = ProtoField.bytes("lanchat.beacon.secret", "secret")
local BEACON_NAME = ProtoField.string("lanchat.beacon.name", "name")
local NAME_AT, NAME_SIZE = 100, 48

beacon.fields = { BEACON_KIND, BEACON_FLAGS, COMMITMENT, SECRET_FIELD, BEACON_NAME }
for _, row in ipairs(BEACON_FIELDS) do
	beacon.fields = { row[3] }
end

local function zeros(tvb, first, stop)
	return not tvb:raw(first, stop - first):find("[^\0]")
end

-- What docs/PROTOCOL.md 12.6 has a listener check in the packet itself; a list of what is wrong.
local function beacon_faults(tvb, kind, name_size)
	local wrong = {}
	local function expect(good, text)
		if not good then wrong[#wrong + 1] = text end
	end
	expect(VALUES.beacon[kind], "an unknown kind")
	expect(tvb(6, 2):uint() <= tvb(8, 2):uint(), "the lowest version is above the highest")
	if kind == 1 then
		expect(zeros(tvb, 10, 28) and zeros(tvb, 36, BEACON_SIZE), "a query with more than a nonce")
	else
		expect(tvb(10, 2):uint() > 0, "no port")
		expect((tvb(16, 4):uint() == 0) == (kind == 4), "the lifetime")
	end
	expect(zeros(tvb, NAME_AT + name_size, NAME_AT + NAME_SIZE), "something behind the name")
	expect(zeros(tvb, NAME_AT + NAME_SIZE, BEACON_SIZE), "the padding is not zeros")
	return wrong
end

local function beacon_summary(tvb, kind, name)
	local text = VALUES.beacon[kind] or "kind " .. kind
	if kind == 1 then return text end
	return string.format("%s %s: port %d, %.0f of %.0f people", text, name, tvb(10, 2):uint(),
		tvb(20, 4):uint(), tvb(24, 4):uint())
end

local function show_beacon(tvb, node, kind)
	node:add(BEACON_KIND, tvb(4, 1))
	node:add(BEACON_FLAGS, tvb(5, 1)):append_text(bits_text("beacon", tvb(5, 1):uint()))
	for _, row in ipairs(BEACON_FIELDS) do
		node:add(row[3], tvb(row[1], row[2]))
	end
	node:add(kind == 4 and SECRET_FIELD or COMMITMENT, tvb(84, 16))
end

local function is_beacon(tvb)
	return tvb:len() == BEACON_SIZE and tvb:raw(0, 4) == MAGIC
end

function beacon.dissector(tvb, pinfo, tree)
	if is_one_frame(tvb) then return dissect_datagram(tvb, pinfo, tree) end
	pinfo.cols.protocol = "LANCHAT"
	local node = tree:add(beacon, tvb())
	if not is_beacon(tvb) then
		node:add_proto_expert_info(BEACON_EXPERT, "neither a beacon nor a frame")
		pinfo.cols.info:set("neither a beacon nor a frame")
		return tvb:len()
	end
	local kind = tvb(4, 1):uint()
	local name = tvb:raw(NAME_AT, NAME_SIZE):match("^[^\0]*")
	local shown, wrong = readable(name, "line")
	show_beacon(tvb, node, kind)
	node:add(BEACON_NAME, tvb(NAME_AT, NAME_SIZE), shown)
	for _, text in ipairs(beacon_faults(tvb, kind, #name)) do
		node:add_proto_expert_info(BEACON_EXPERT, text)
	end
	if wrong then node:add_proto_expert_info(BEACON_EXPERT, "the name is not clean: " .. wrong) end
	local text = beacon_summary(tvb, kind, shown)
	node:append_text(", " .. text)
	pinfo.cols.info:set(text)
	return tvb:len()
end

-- ---- where it is found ----

-- On other ports: by what the bytes are, once for a connection.
local function recognise_stream(tvb, pinfo, tree)
	if not begins_with_frame(tvb) then return false end
	pinfo.conversation = lanchat
	lanchat.dissector(tvb, pinfo, tree)
	return true
end

local function recognise_datagram(tvb, pinfo, tree)
	if not is_beacon(tvb) and not is_one_frame(tvb) then return false end
	beacon.dissector(tvb, pinfo, tree)
	return true
end

lanchat:register_heuristic("tcp", recognise_stream)
lanchat:register_heuristic("tls", recognise_stream)
beacon:register_heuristic("udp", recognise_datagram)
DissectorTable.get("tcp.port"):add(PORT, lanchat)
DissectorTable.get("tls.port"):add(PORT, lanchat)
DissectorTable.get("udp.port"):add(PORT, beacon)
DissectorTable.get("udp.port"):add_for_decode_as(lanchat)
