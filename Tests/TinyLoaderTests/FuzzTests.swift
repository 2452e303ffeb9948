import Testing
import TinyLoader
import TinyTestSupport

/// Spoiled copies of good files: whatever they say, they open or are refused, and nothing traps.
@Suite struct FuzzTests {
    let folder = TemporaryFolder()

    /// Changes a few bytes, mostly in the header; now and then the file is cut or lengthened as well.
    private func spoil(_ bytes: [UInt8], header: Int, _ random: inout SplitMix64) -> [UInt8] {
        var copy = bytes
        for _ in 0...random.below(4) {
            let place = random.below(random.below(8) == 0 ? copy.count : header)
            switch random.below(4) {
            case 0: copy[place] ^= 1 << random.below(8)
            case 1: copy[place] = [0, 1, 0x7F, 0x80, 0xFF, 0x22, 0x30, 0x39][random.below(8)]
            default: copy[place] = UInt8(random.below(256))
            }
        }
        if random.below(16) == 0 { copy.removeLast(random.below(copy.count)) }
        if random.below(16) == 0 { copy += random.bytes(random.below(64)) }
        return copy
    }

    @Test(arguments: 0..<8) func gguf(_ seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed))
        let written = GoodGGUF.file.written()
        var opened = 0
        for _ in 0..<75 {
            let path = folder.write("fuzz.gguf", spoil(written.bytes, header: written.offset(of: "data"), &random))
            do {
                touchEverything(try GGUF(path: path))
                opened += 1
            } catch { #expect(!error.description.isEmpty) }
        }
        #expect(opened > 0 && opened < 75, "of 75 files \(opened) opened")
    }

    @Test(arguments: 0..<8) func safetensors(_ seed: Int) throws {
        var random = SplitMix64(seed: UInt64(100 + seed))
        let bytes = BadSafetensors.good.written()
        var opened = 0
        for _ in 0..<75 {
            let path = folder.write("fuzz.safetensors", spoil(bytes, header: bytes.count - 40, &random))
            do {
                touchEverything(try Safetensors(path: path).index)
                opened += 1
            } catch { #expect(!error.description.isEmpty) }
        }
        #expect(opened < 75, "of 75 files \(opened) opened")
    }

    /// The types' numbers and the shapes are small fields that random bytes seldom hit on: all types, a few shapes.
    @Test func everyTypeWithEveryShape() throws {
        let shapes: [[UInt64]] = [
            [], [0], [1], [32], [256], [0, 3], [3, 0], [256, 2], [1 << 62, 0], [0, 1 << 62], [1 << 61, 0], [1, 1, 1],
            [2, 0, 2, 2],
        ]
        for type in 0..<UInt32(42) {
            for shape in shapes {
                var file = GGUFBytes()
                file.tensors = [.init("t", shape, type: type, data: [UInt8](repeating: 0x11, count: 600 * 4))]
                let path = folder.write("type.gguf", file.written().bytes)
                do { touchEverything(try GGUF(path: path)) } catch { #expect(!error.description.isEmpty) }
            }
        }
    }

    @Test(arguments: [
        "[0,4611686018427387904]", "[4611686018427387904,0]", "[0,9223372036854775807]", "[9223372036854775807,0]",
        "[0]", "[0,0]", "[]", "[1,1,0]",
    ])
    func emptyShapes(_ shape: String) throws {
        for type in ["F32", "F16", "BF16", "I64", "F4"] {
            let bytes = shape == "[]" ? ["F32": 4, "I64": 8, "F4": 0][type] ?? 2 : 0
            let header = "{\"t\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":[0,\(bytes)]}}"
            let path = folder.write(
                "empty.safetensors", SafetensorsBytes.file(header: header, data: [UInt8](repeating: 0, count: bytes)))
            do { touchEverything(try Safetensors(path: path).index) } catch { #expect(!error.description.isEmpty) }
        }
    }
}
