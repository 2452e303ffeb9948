import CTinyKernels
import Testing
import TinyLoader
import TinyTensor
import TinyTestSupport

/// Every element type against what the Python package `gguf` reads from the same bytes: equal, not close.
@Suite struct DequantizeTests {
    private func fixture(_ type: ElementType) throws -> (bytes: [UInt8], values: [Float]) {
        let file = try Safetensors(path: Fixtures.path("dequantize/dequantize.safetensors"))
        let bytes = try #require(file.index[type.rawValue + ".bytes"])
        let values = try #require(file.index[type.rawValue + ".values"])
        return (Array(bytes.bytes), try values.matrix().floats())
    }

    /// `tk_expand` from an address so many bytes past an alignment of 64.
    private func expand(_ type: ElementType, _ bytes: [UInt8], count: Int, offset: Int) -> [Float] {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count + offset, alignment: 64)
        defer { memory.deallocate() }
        UnsafeMutableRawBufferPointer(rebasing: memory[offset...]).copyBytes(from: bytes)
        return [Float](unsafeUninitializedCapacity: count) { buffer, written in
            tk_expand(type.kernelType, memory.baseAddress! + offset, count, buffer.baseAddress!)
            written = count
        }
    }

    @Test(arguments: ElementType.allCases.filter { $0 != .f32 }, [0, 1, 2, 3, 7]) func equalsPython(
        _ type: ElementType, _ offset: Int
    ) throws {
        let (bytes, values) = try fixture(type)
        #expect(type.bytes(for: values.count) == bytes.count)
        let expanded = expand(type, bytes, count: values.count, offset: offset)
        // Values, not bits: -0 and 0 are one number, and the two sides may differ in which they give.
        #expect(expanded == values, "\(type.rawValue)")
        // A block alone is what it is among others.
        let block = type.blockElements
        for start in stride(from: 0, to: values.count, by: max(block, 32)) {
            let first = start / block * type.blockBytes
            let part = expand(type, Array(bytes[first..<first + type.blockBytes]), count: block, offset: offset)
            #expect(part == Array(values[start..<start + block]), "\(type.rawValue), from \(start)")
        }
    }

    /// What the integer kernels use is the same number: scale · code + offset.
    @Test(arguments: ElementType.allCases.filter(\.isQuantized)) func unpackedIsTheSame(_ type: ElementType) throws {
        let (bytes, values) = try fixture(type)
        var codes = [Int8](repeating: 0, count: values.count)
        var scales = [Float](repeating: .nan, count: values.count / 16)
        var offsets = scales
        tk_unpack(type.kernelType, bytes, values.count, &codes, &scales, &offsets)
        let expanded = (0..<values.count).map { i -> Float in
            let product = scales[i / 16] * Float(codes[i])
            return product + offsets[i / 16]
        }
        #expect(expanded == values, "\(type.rawValue)")
    }

    @Test(arguments: ElementType.allCases.filter { $0 != .f32 }) func addedRow(_ type: ElementType) throws {
        let (bytes, values) = try fixture(type)
        for count in [type.blockElements, 256, 512, values.count] {
            var sums = [Float](repeating: 1, count: count)
            tk_add_row(type.kernelType, bytes, count, &sums)
            #expect(sums == values.prefix(count).map { 1 + $0 }, "\(type.rawValue), \(count)")
        }
    }

    #if !((os(macOS) || targetEnvironment(macCatalyst)) && arch(x86_64))
        @Test func everyHalf() {
            let bits = (0...UInt16.max).map { $0.littleEndian }
            let bytes = bits.withUnsafeBytes { Array($0) }
            let expanded = expand(.f16, bytes, count: 65_536, offset: 1)
            var wrong: [Int] = []
            for i in 0..<65_536 {
                let half = Float16(bitPattern: UInt16(i))
                // Every NaN stays one, with its sign and what of its payload there is; only the quiet bit may change.
                let same =
                    half.isNaN
                    ? expanded[i].isNaN && (expanded[i].sign == half.sign)
                    : expanded[i].bitPattern == Float(half).bitPattern
                if !same { wrong.append(i) }
            }
            #expect(wrong.isEmpty, "\(wrong.count) halves, first \(wrong.first.map { String($0, radix: 16) } ?? "")")
        }
    #endif

    @Test func everyBrainFloat() {
        let bits = (0...UInt16.max).map { $0.littleEndian }
        let expanded = expand(.bf16, bits.withUnsafeBytes { Array($0) }, count: 65_536, offset: 3)
        let wrong = (0..<65_536).filter { expanded[$0].bitPattern != UInt32($0) << 16 }
        #expect(wrong.isEmpty)
    }
}
