// Files of places as people make them.
import { expect, test } from 'vitest'
import { cells, read, TEMPLATE, write } from './table'

test('the template has no faults', () => {
  expect(read(TEMPLATE, []).lines.map(({ fault }) => fault)).toEqual([null, null, null])
})

test('reads quotes, semicolons, byte order marks and empty lines', () => {
  expect(cells('\uFEFFa;b\r\n"x; ""y""";2\r\n\r\n3;4')).toEqual([
    { line: 1, cells: ['a', 'b'] },
    { line: 2, cells: ['x; "y"', '2'] },
    { line: 4, cells: ['3', '4'] },
  ])
})

test('says what is wrong with each line', () => {
  const file =
    'Code,Parent code,Name,Lat,Lon\nA,,Upper,,\nA,,Again,,\n,,No code,,\nB,A,,,\nC,X,Orphan,,\nD,A,Off the globe,95,1\nE,A,Half,1,\nK,,Known,,\nV,K2,Too deep,,'
  const known = [
    { code: 'K', level: 0 },
    { code: 'K2', level: 2 },
  ]
  expect(read(file, known).lines.map(({ line, fault }) => [line, fault])).toEqual([
    [2, null],
    [3, 'twice'],
    [4, 'code'],
    [5, 'name'],
    [6, 'parent'],
    [7, 'coordinates'],
    [8, 'coordinates'],
    [9, 'there'],
    [10, 'level'],
  ])
  expect(read('name;lat\nA;1', []).missing).toEqual(['code'])
})

test('parents go first, and the lines are remembered', () => {
  const { lines } = read('code,parent_code,name,lat,lon\nV,S,"Village, lower","-1,5",38\nS,C,Sub,,\nC,,County,,', [])
  expect(lines.every(({ fault }) => fault === null)).toBe(true)
  expect(write(lines)).toEqual({
    csv: 'code,parent_code,name,lat,lon\nC,,County,,\nS,C,Sub,,\nV,S,"Village, lower",-1.5,38\n',
    order: [4, 3, 2],
  })
})
